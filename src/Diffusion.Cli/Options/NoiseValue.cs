using Diffusion.Inverse;

namespace Diffusion.Cli.Options;

/// <summary>Noise as it was typed.</summary>
/// <param name="Model">The noise.</param>
/// <param name="InFileUnits">Whether its numbers are in the values of the file instead of on [0,1].</param>
internal readonly record struct NoiseValue(NoiseModel Model, bool InFileUnits);
