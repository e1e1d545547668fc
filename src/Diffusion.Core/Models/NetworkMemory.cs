using Diffusion.Networks;

namespace Diffusion.Models;

/// <summary>The memory that a network takes.</summary>
/// <param name="BytesPerPixel">Bytes of activations that are alive at once, for each pixel of the pictures computed together.</param>
/// <param name="WeightBytes">Bytes of its weights.</param>
public readonly record struct NetworkMemory(double BytesPerPixel, long WeightBytes)
{
    /// <summary>What a denoiser that does not say is taken to need: a UNet of 64 channels in float32.</summary>
    public static NetworkMemory Unknown { get; } = new(7 * 64 * 4, 0);

    /// <summary>What a network needs under its policy.</summary>
    public static NetworkMemory Of(Network network) =>
        new(network.ValuesPerPixel * (network.Policy.NetworkDtype == ScalarType.Float32 ? 4 : 2), network.WeightBytes);
}
