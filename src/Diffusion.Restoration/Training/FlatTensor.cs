using System.Runtime.InteropServices;

namespace Diffusion.Training;

/// <summary>A long-lived flat float32 tensor on the CPU whose memory C# code reads and writes.</summary>
internal sealed class FlatTensor : IDisposable
{
    /// <summary>Zeros.</summary>
    public FlatTensor(long length) => Tensor = torch.zeros(length, dtype: ScalarType.Float32).DetachFromDisposeScope();

    /// <summary>The tensor.</summary>
    public Tensor Tensor { get; }

    /// <summary>Its memory.</summary>
    public Span<float> Span => MemoryMarshal.Cast<byte, float>(Tensor.bytes);

    /// <inheritdoc/>
    public void Dispose() => Tensor.Dispose();
}
