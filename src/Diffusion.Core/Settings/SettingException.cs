namespace Diffusion.Settings;

/// <summary>
/// A value that a setting cannot take, for the solver or the operator to report in its own way. The message is one sentence, and what to
/// do about it where that can be said.
/// </summary>
/// <param name="what">What is wrong, without a full stop.</param>
/// <param name="remedy">What the user can do, without a full stop; null when nothing can be advised.</param>
internal sealed class SettingException(string what, string? remedy = null) : ArgumentException(Sentence(what) + Advice(remedy))
{
    /// <summary>What is wrong, without a full stop.</summary>
    public string What { get; } = what;

    /// <summary>What the user can do, without a full stop; null when nothing can be advised.</summary>
    public string? Remedy { get; } = remedy;

    private static string Sentence(string text) => text.EndsWith('?') || text.EndsWith('.') ? text : text + ".";

    private static string Advice(string? remedy) => remedy is null ? "" : " " + Sentence(remedy);
}
