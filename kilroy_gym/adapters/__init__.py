"""Who plays: a module as an agent, agent files."""

from kilroy_gym.adapters.agent import Agent, Callback, Round
from kilroy_gym.adapters.files import agent_file, find_named, load_agent_file, load_named, roster
from kilroy_gym.adapters.module_agent import ModuleAgent
from kilroy_gym.adapters.own import module_for

__all__ = [
    "Agent",
    "Callback",
    "ModuleAgent",
    "Round",
    "agent_file",
    "find_named",
    "load_agent_file",
    "load_named",
    "module_for",
    "roster",
]
