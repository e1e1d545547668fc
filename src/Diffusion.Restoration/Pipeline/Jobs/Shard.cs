using System.Buffers.Binary;
using System.Globalization;

namespace Diffusion.Pipeline;

/// <summary>
/// The I-th of N parts of a job. Which part an item belongs to follows from its key alone, so that N processes on N machines, in whatever
/// order they find the files, make every item exactly once.
/// </summary>
public sealed record Shard
{
    /// <summary>A part.</summary>
    /// <param name="index">Its number, from 1.</param>
    /// <param name="count">Number of parts.</param>
    /// <exception cref="ArgumentException">The number is not between 1 and the count.</exception>
    public Shard(int index, int count)
    {
        if (count < 1 || index < 1 || index > count)
            throw new ArgumentException($"Of N parts there is the I-th with I from 1 to N, not {index}/{count}.");
        (Index, Count) = (index, count);
    }

    /// <summary>Its number, from 1.</summary>
    public int Index { get; }

    /// <summary>Number of parts.</summary>
    public int Count { get; }

    /// <summary>Whether an item belongs to it.</summary>
    public bool Holds(JobItem item) => BinaryPrimitives.ReadUInt64BigEndian(item.KeyBytes) % (ulong)Count == (ulong)(Index - 1);

    /// <summary>
    /// Reads <c>I/N</c>, or <c>auto</c>: what the cluster says. Slurm's array (<c>SLURM_ARRAY_TASK_ID</c>, <c>_MIN</c>, <c>_STEP</c>,
    /// <c>_COUNT</c>), or the completion index of an indexed Kubernetes job (<c>JOB_COMPLETION_INDEX</c>), which does not know their
    /// number: <c>auto/N</c> gives it, or the variable <c>JOB_COMPLETIONS</c>.
    /// </summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="environment">The environment; null: the process's.</param>
    /// <exception cref="ArgumentException">It is none of these, or the cluster says nothing.</exception>
    public static Shard Parse(string text, Func<string, string?>? environment = null)
    {
        string[] parts = text.Split('/');
        if (parts[0].Trim() == "auto" && parts.Length <= 2)
            return Auto(parts.Length == 2 ? Number(parts[1], text) : null, environment ?? Environment.GetEnvironmentVariable);
        return parts.Length == 2
            ? new Shard(Number(parts[0], text), Number(parts[1], text))
            : throw new ArgumentException($"A part is written I/N with I from 1 to N, or auto, not \"{text}\".");
    }

    /// <summary>I/N.</summary>
    public override string ToString() => $"{Index}/{Count}";

    private static Shard Auto(int? given, Func<string, string?> environment)
    {
        int? Variable(string name) => environment(name) is { Length: > 0 } value ? Number(value, $"{name}={value}") : null;
        if (Variable("SLURM_ARRAY_TASK_ID") is { } task)
        {
            int first = Variable("SLURM_ARRAY_TASK_MIN") ?? throw Missing("SLURM_ARRAY_TASK_MIN"),
                step = Variable("SLURM_ARRAY_TASK_STEP") is > 0 and var wide ? wide : 1;
            return new Shard(
                (task - first) / step + 1,
                given ?? Variable("SLURM_ARRAY_TASK_COUNT") ?? throw Missing("SLURM_ARRAY_TASK_COUNT")
            );
        }
        if (Variable("JOB_COMPLETION_INDEX") is { } index)
            return new Shard(
                index + 1,
                given
                    ?? Variable("JOB_COMPLETIONS")
                    ?? throw new ArgumentException(
                        "The number of parts is not known: write auto/N, or set JOB_COMPLETIONS to the job's completions."
                    )
            );
        throw new ArgumentException(
            "No cluster says which part this is: there is neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX. Write I/N."
        );
    }

    private static ArgumentException Missing(string name) =>
        new($"Slurm gives SLURM_ARRAY_TASK_ID, but no {name}. Write I/N instead of auto.");

    private static int Number(string text, string where) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : throw new ArgumentException($"\"{text}\" is no whole number ({where}). A part is written I/N with I from 1 to N, or auto.");
}
