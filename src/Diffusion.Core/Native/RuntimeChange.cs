namespace Diffusion.Native;

/// <summary>One of the <see cref="RuntimeOptions"/>, and what became of it in this process.</summary>
/// <param name="Option">The option's name.</param>
/// <param name="InForce">Whether the process has been changed.</param>
/// <param name="Why">Why it has or has not, in a few words.</param>
public sealed record RuntimeChange(string Option, bool InForce, string Why);
