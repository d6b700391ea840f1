"""Tests in containers that can never take more than their caps."""
