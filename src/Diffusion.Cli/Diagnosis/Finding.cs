namespace Diffusion.Cli.Diagnosis;

/// <summary>One line of the doctor's report.</summary>
/// <param name="Topic">What was looked at.</param>
/// <param name="Value">What was found.</param>
/// <param name="Remedy">What to do about it; null when all is well.</param>
/// <param name="IsFault">Nothing can be restored until the remedy is applied.</param>
internal sealed record Finding(string Topic, string Value, string? Remedy = null, bool IsFault = false);
