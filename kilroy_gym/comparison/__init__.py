"""Agents x seeds -> results -> table, plots, report."""
