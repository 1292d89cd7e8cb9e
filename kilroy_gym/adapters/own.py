"""The module that suits an environment."""

from kilroy_gym._named import find_named
from kilroy_gym.adapters.environments import kilroy_env
from kilroy_gym.interfaces import AnyEnv, BringsModule, find
from kilroy_gym.modules import KilroyModule
from kilroy_gym.modules.base import AnyModule


def module_for(env: AnyEnv, seed: int | None = None) -> AnyModule:
    """Returns a new module that suits an environment: the one that its audience names.

    Args:
        env: The environment, wrapped or not.
        seed: Seed of the module.

    Raises:
        TypeError: It is no Kilroy environment, or what is named makes no module.
        ValueError: No module is named, or there is nothing of that name.
    """
    inside = kilroy_env(env)
    face = find(inside.face, BringsModule)
    name = None if face is None else face.module
    if not isinstance(name, str):
        raise ValueError(
            f"no module is known for {_shown(inside.face)}: hand in a module of your own, or let "
            'the audience name one, as module = "package.module:function"'
        )
    try:
        make = find_named(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise ValueError(f"{_shown(inside.face)} names the module {name!r}: {error}") from error
    try:
        module = make(inside.codec, seed)
    except TypeError as error:
        raise TypeError(
            f"{name}(codec, seed) must return a KilroyModule, and it failed: {error}; name a "
            "function of a codec and a seed, such as `lambda codec, seed: ...`"
        ) from error
    if not isinstance(module, KilroyModule):
        raise TypeError(f"{name}(codec, seed) must return a KilroyModule, got {module!r}")
    return module


def _shown(face: object) -> str:
    """Names a Face, with the audience of a simulated one."""
    named = find(face, BringsModule)
    return type(face).__name__ if named is None else repr(named)
