using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// The blind degradation of aligned faces that restorers are trained and measured on: blur, reduction, noise, JPEG, enlargement to the old
/// size, each of random strength (the recipe of DAEFR, Tsai et al. 2024, whose family OSDFace's data belong to).
/// </summary>
/// <remarks>Lengths are those of faces of 512 pixels; <see cref="ForSide"/> makes them those of smaller ones.</remarks>
public sealed record FaceDegradation
{
    /// <summary>Side of the faces that the published lengths are for.</summary>
    public const int PublishedSide = 512;

    /// <summary>Standard deviation of the blur in pixels; half of the blurs are anisotropic.</summary>
    public (double Min, double Max) Blur { get; init; } = (0.1, 10);

    /// <summary>Half of what the blur's kernel spans, in pixels.</summary>
    public (double Min, double Max) Radius { get; init; } = (19, 20);

    /// <summary>How often the small picture is smaller.</summary>
    public (double Min, double Max) Reduction { get; init; } = (0.8, 8);

    /// <summary>Standard deviation of the noise on [0,1].</summary>
    public (double Min, double Max) Noise { get; init; } = (0, 20 / 255.0);

    /// <summary>Quality of the JPEG.</summary>
    public (double Min, double Max) Quality { get; init; } = (60, 100);

    /// <summary>The same degradation of faces of another size.</summary>
    public FaceDegradation ForSide(int side) => Scaled((double)side / PublishedSide);

    /// <summary>The same degradation with all lengths multiplied.</summary>
    public FaceDegradation Scaled(double factor) =>
        this with
        {
            Blur = (Blur.Min * factor, Blur.Max * factor),
            Radius = (Radius.Min * factor, Radius.Max * factor),
            Reduction = (Reduction.Min * factor, Reduction.Max * factor),
        };

    /// <summary>The same degradation with its worst nearer to its best.</summary>
    /// <param name="share">1: as bad as it is; 0: always the best.</param>
    public FaceDegradation Gentler(double share)
    {
        (double, double) Less((double Min, double Max) range) => (range.Min, range.Min + share * (range.Max - range.Min));
        return this with
        {
            Blur = Less(Blur),
            Reduction = Less(Reduction),
            Noise = Less(Noise),
            Quality = (Quality.Max - share * (Quality.Max - Quality.Min), Quality.Max),
        };
    }

    /// <summary>Degrades a face.</summary>
    /// <param name="clean">[1,3,S,S] float32 on [0,1], borrowed.</param>
    /// <param name="seed">With the next two, decides everything.</param>
    /// <param name="number">Number of the picture or of the step.</param>
    /// <param name="index">Number within the step.</param>
    /// <returns>The caller disposes it.</returns>
    public DegradedFace Apply(Tensor clean, ulong seed, long number, int index = 0)
    {
        using ComputeScope scope = new();
        Draws draws = new(seed ^ 0xFACE, number, index);
        int side = (int)clean.shape[2];
        Tensor x = Blurred(clean, ref draws);
        double reduction = Draw(ref draws, Reduction);
        int small = Math.Max(8, (int)Math.Round(side / reduction));
        x = Resized(x, small);
        double noise = Draw(ref draws, Noise);
        PhiloxNoise source = new(seed ^ 0x401E, [new ImageKey(((ulong)number << 20) + (uint)index)]);
        x = (x + noise * source.Draw(NoiseRole.Measurement, x.shape)).clamp(0, 1);
        int quality = (int)Math.Round(Draw(ref draws, Quality));
        x = Recoded(x, quality);
        Tensor large = (Resized(x, side) * 255).round() / 255;
        return new DegradedFace(scope.Return(large), scope.Return(x), reduction, noise, quality);
    }

    private Tensor Blurred(Tensor x, ref Draws draws)
    {
        bool round = draws.Uniform() < 0.5;
        double first = Draw(ref draws, Blur),
            second = Draw(ref draws, Blur),
            angle = draws.Uniform(-Math.PI, Math.PI);
        if (round)
            second = first;
        int radius = Math.Max(1, (int)Math.Round(Draw(ref draws, Radius)));
        radius = Math.Min(radius, Math.Max(1, (int)Math.Ceiling(5 * Math.Max(first, second))));
        radius = Math.Min(radius, (int)x.shape[2] - 1);
        Tensor along = torch.arange(-radius, radius + 1, dtype: ScalarType.Float32),
            u = along * Math.Cos(angle) + along.unsqueeze(1) * Math.Sin(angle),
            v = along.unsqueeze(1) * Math.Cos(angle) - along * Math.Sin(angle);
        Tensor kernel = (-0.5 * ((u / first).square() + (v / second).square())).exp();
        kernel = kernel / kernel.sum();
        Tensor padded = torch.nn.functional.pad(x, [radius, radius, radius, radius], PaddingModes.Reflect);
        long[] size = [padded.shape[2], padded.shape[3]];
        Tensor spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(kernel, s: size);
        return torch.fft.irfft2(spectrum, s: size).narrow(2, 2 * radius, x.shape[2]).narrow(3, 2 * radius, x.shape[3]).clamp(0, 1);
    }

    private static Tensor Resized(Tensor x, int side) =>
        torch.nn.functional.interpolate(x, size: [side, side], mode: torch.InterpolationMode.Bilinear, align_corners: false);

    private static Tensor Recoded(Tensor x, int quality)
    {
        using MemoryStream file = new();
        ImageFile.Write(file, x, ImageFormat.Jpeg, new WriteOptions { Quality = quality });
        file.Position = 0;
        using Picture read = ImageFile.Read(file, "degraded.jpg");
        return read.Pixels.clone();
    }

    private static double Draw(ref Draws draws, (double Min, double Max) range) => draws.Uniform(range.Min, range.Max);
}

/// <summary>A degraded face. Owns its pictures.</summary>
/// <param name="Picture">[1,3,S,S] on [0,1], rounded to 8 bits: what a restorer is given.</param>
/// <param name="Small">[1,3,s,s] on [0,1]: before it was enlarged.</param>
/// <param name="Reduction">How often it was smaller.</param>
/// <param name="Noise">Standard deviation on [0,1].</param>
/// <param name="Quality">Of the JPEG.</param>
public sealed record DegradedFace(Tensor Picture, Tensor Small, double Reduction, double Noise, int Quality) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Picture.Dispose();
        Small.Dispose();
    }
}
