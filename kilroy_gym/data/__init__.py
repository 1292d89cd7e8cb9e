"""Scraped posts: datasets of them, cached in memory or on disk."""

from kilroy_gym.data.datasets import (
    Dataset,
    DatasetFactory,
    FileCachingDatasetFactory,
    MemoryCachingDatasetFactory,
)

__all__ = [
    "Dataset",
    "DatasetFactory",
    "FileCachingDatasetFactory",
    "MemoryCachingDatasetFactory",
]
