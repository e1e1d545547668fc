using System.Buffers.Binary;

namespace Diffusion.Metrics;

/// <summary>The number tables that ship inside the assembly.</summary>
internal static class Assets
{
    /// <summary>All values of a file of little-endian float64.</summary>
    public static double[] Doubles(string name)
    {
        byte[] bytes = Bytes(name);
        double[] values = new double[bytes.Length / sizeof(double)];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadDoubleLittleEndian(bytes.AsSpan(i * sizeof(double)));
        return values;
    }

    /// <summary>All values of a file of little-endian float32.</summary>
    public static float[] Floats(string name)
    {
        byte[] bytes = Bytes(name);
        float[] values = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        return values;
    }

    private static byte[] Bytes(string name)
    {
        using Stream stream = typeof(Assets).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {name}.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
