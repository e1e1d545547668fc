namespace Diffusion.Cli.Options;

/// <summary>A noise level as it was typed.</summary>
/// <param name="Sigma">Standard deviation; NaN for auto.</param>
/// <param name="InFileUnits">Whether it is in the values of the file instead of on [0,1].</param>
internal readonly record struct NoiseValue(double Sigma, bool InFileUnits);
