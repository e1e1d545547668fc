using Diffusion.Runtime;

namespace Diffusion.Imaging;

/// <summary>Values on [0,1] as the samples of a file.</summary>
internal static class Samples
{
    /// <summary>Clips and rounds to the nearest sample; floats stay as they are.</summary>
    /// <param name="values">float32.</param>
    /// <param name="bits">8, 12, 16 or 32.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">NaN, which no integer stands for.</exception>
    public static Tensor Of(Tensor values, int bits, string where)
    {
        if (bits == 32)
            return values;
        if (values.isnan().any().item<bool>())
            throw new ImageException(
                "The picture holds values that are not numbers (NaN)",
                where,
                "Look for the step that made them; a float TIFF can store them"
            );
        Tensor whole = (values.clamp(0, 1) * ((1 << bits) - 1)).round();
        if (bits == 8)
            return whole.to(ScalarType.Byte);
        // 16-bit samples; AVIF's 12 bits sit in the upper ones. Int16 keeps the low 16 bits, which are those of an unsigned sample.
        return (whole * (1 << (16 - bits))).to(ScalarType.Int32).to(ScalarType.Int16);
    }
}
