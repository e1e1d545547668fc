namespace Diffusion.Runtime;

/// <summary>Data, files or resources that Diffusion cannot work with: what is wrong, where, and what to do about it.</summary>
/// <remarks>Wrong arguments of the API are <see cref="ArgumentException"/>s. The message reads <c>WHAT (WHERE). REMEDY.</c></remarks>
public class DiffusionException : Exception
{
    /// <summary>What is wrong, without a full stop.</summary>
    public string What { get; }

    /// <summary>The file, option or layer concerned; null when <see cref="What"/> says it.</summary>
    public string? Where { get; }

    /// <summary>What the user can do, without a full stop; null when nothing can be advised.</summary>
    public string? Remedy { get; }

    /// <summary>Creates the error.</summary>
    public DiffusionException(string what, string? where = null, string? remedy = null, Exception? inner = null)
        : base(Format(what, where, remedy), inner)
    {
        What = what;
        Where = where;
        Remedy = remedy;
    }

    private static string Format(string what, string? where, string? remedy) =>
        Sentence(what + (where is null ? "" : $" ({where})")) + (remedy is null ? "" : $" {Sentence(remedy)}");

    private static string Sentence(string text) => text.EndsWith('?') || text.EndsWith('.') ? text : text + ".";
}

/// <summary>A checkpoint that is damaged, hostile, of another format or another architecture.</summary>
public sealed class CheckpointException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner);

/// <summary>A picture that cannot be read or written.</summary>
public sealed class ImageException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner);

/// <summary>An operator spec with unknown names or impossible values, or an operator that does not fit a picture.</summary>
public sealed class OperatorSpecException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner);

/// <summary>Not enough memory or disk.</summary>
public sealed class ResourceException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner);

/// <summary>NaN or infinity appeared, or an iteration did not converge.</summary>
public sealed class NumericalException(string what, string? where = null, string? remedy = null, Exception? inner = null)
    : DiffusionException(what, where, remedy, inner);
