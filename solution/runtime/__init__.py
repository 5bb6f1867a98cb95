"""What every part stands on: files and manifests, the lock, errors, devices, checkpoints, workers."""
