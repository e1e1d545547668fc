using System.Buffers.Binary;
using Diffusion.Runtime;

namespace Diffusion.Tests.Imaging;

/// <summary>A folder of its own and pictures with known pixels.</summary>
public abstract class PictureFixture : IDisposable
{
    private readonly ComputeScope _scope = new();

    protected PictureFixture() => Folder = Directory.CreateTempSubdirectory("diffusion-imaging-").FullName;

    protected string Folder { get; }

    protected string At(string name) => Path.Combine(Folder, name);

    /// <summary>[1,channels,height,width] float32 on [0,1]; every value differs from its neighbours.</summary>
    protected static Tensor Ramp(int channels, int height, int width, int levels = 256) =>
        (torch.arange((long)channels * height * width, dtype: ScalarType.Int64) * 37 % levels)
            .to(ScalarType.Float32)
            .div(levels - 1)
            .reshape(1, channels, height, width);

    /// <summary>A smooth picture that lossy codecs keep well.</summary>
    protected static Tensor Smooth(int channels, int height, int width)
    {
        Tensor y = torch.linspace(0, 1, height).reshape(1, 1, height, 1),
            x = torch.linspace(0, 1, width).reshape(1, 1, 1, width);
        Tensor[] planes = [.. Enumerable.Range(0, channels).Select(c => (0.2 + 0.5 * x + 0.1 * c * y).expand(1, 1, height, width))];
        return torch.cat(planes, 1).to(ScalarType.Float32);
    }

    protected static void AssertEqual(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(
            expected.eq(actual).all().item<bool>(),
            $"values differ by up to {(expected - actual).abs().max().to(ScalarType.Float64).item<double>()}"
        );
    }

    protected static void AssertNear(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        double error = (expected - actual).abs().max().to(ScalarType.Float64).item<double>();
        Assert.True(error <= tolerance, $"values differ by up to {error}");
    }

    /// <summary>A chunk of a PNG, with its checksum.</summary>
    protected static byte[] Chunk(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        byte[] chunk = [0, 0, 0, (byte)data.Length, .. name, .. data, 0, 0, 0, 0];
        uint crc = uint.MaxValue;
        foreach (byte b in chunk.AsSpan(4, 4 + data.Length))
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(crc & 1));
        }
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), ~crc);
        return chunk;
    }

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
