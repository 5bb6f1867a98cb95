"""What every part uses: files and manifests, the lock, errors, devices, checkpoints, workers."""
