#!/bin/bash
# One array task makes one part of a data set, or restores one part of the pictures; all write into one folder.
#
#   sbatch deploy/slurm-array.sh synthesize photos/ -o /scratch/rainy --degradation rain --per-image 3
#   sbatch --array=1-32 deploy/slurm-array.sh restore photos/ -A blur:sigma=2 --noise 0.02 -o /scratch/restored
#   sbatch deploy/slurm-array.sh face album/ --model zero-shot -o /scratch/faces
#
# A task that is killed or requeued goes on from what it had finished. Set DIFFUSION to the command where it isn't on the PATH.
#SBATCH --job-name=diffusion
#SBATCH --array=1-8
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=diffusion-%A-%a.log

exec "${DIFFUSION:-diffusion}" "$@" --shard auto --resume --threads "${SLURM_CPUS_PER_TASK:-1}"
