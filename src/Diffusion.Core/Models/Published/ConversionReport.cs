namespace Diffusion.Models;

/// <summary>Result of a conversion.</summary>
/// <param name="Tensors">Tensors written.</param>
/// <param name="LeftOut">Tensors of the source that are not the network's: optimizer states, raw beside averaged weights.</param>
/// <param name="Bytes">Size of the new file.</param>
public sealed record ConversionReport(int Tensors, int LeftOut, long Bytes);
