"""Who plays: modules as agents, and agent files."""

from kilroy_gym._named import find_named
from kilroy_gym.adapters.environments import codec_of, kilroy_env
from kilroy_gym.adapters.files import agent_file, load_agent_file, load_named, roster
from kilroy_gym.adapters.module_agent import ModuleAgent
from kilroy_gym.adapters.own import module_for
from kilroy_gym.interfaces import Agent, Callback, Round

__all__ = [
    "Agent",
    "Callback",
    "ModuleAgent",
    "Round",
    "agent_file",
    "codec_of",
    "find_named",
    "kilroy_env",
    "load_agent_file",
    "load_named",
    "module_for",
    "roster",
]
