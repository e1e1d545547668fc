using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Diffusion.Inverse;

/// <summary>
/// How noisy measured values are: of standard deviation <paramref name="Sigma"/> everywhere, or with a variance that grows with the signal,
/// as that of a sensor that counts photons does: gain x + sigma^2.
/// </summary>
/// <example><code>
/// NoiseModel everywhere = 0.02, counted = NoiseModel.Parse("poisson:gain=0.005,read=0.002")!;
/// </code></example>
/// <param name="Sigma">Standard deviation on [0,1]; where there is a gain that of the read noise, which the dark has too.</param>
/// <param name="Gain">What one photon adds to a value on [0,1]: the variance per signal; 0: noise does not depend on the signal.</param>
public sealed record NoiseModel(double Sigma, double Gain = 0)
{
    /// <summary>Of equal strength everywhere, to be estimated.</summary>
    public static NoiseModel Auto { get; } = new(double.NaN);

    /// <summary>Growing with the signal, to be estimated.</summary>
    public static NoiseModel AutoPoisson { get; } = new(double.NaN, double.NaN);

    /// <summary>Whether it is still to be estimated.</summary>
    public bool IsAuto => double.IsNaN(Sigma);

    /// <summary>Whether it grows with the signal.</summary>
    public bool GrowsWithSignal => Gain is not 0;

    /// <summary>The standard deviation of white.</summary>
    public double Largest => GrowsWithSignal ? Math.Sqrt(Gain + Sigma * Sigma) : Sigma;

    /// <summary>Noise of equal strength everywhere; NaN: to be estimated.</summary>
    [return: NotNullIfNotNull(nameof(sigma))]
    public static implicit operator NoiseModel?(double? sigma) => sigma is { } level ? new(level) : null;

    /// <summary>The same noise of values times <paramref name="unit"/>.</summary>
    public static NoiseModel operator *(NoiseModel noise, double unit) => new(noise.Sigma * unit, noise.Gain * unit);

    /// <summary>The standard deviations of measured values.</summary>
    /// <param name="signal">
    /// What the values would be without noise, of any shape, or an estimate of it, which is taken to be dark where it is negative;
    /// borrowed. A dark value still counts as 3/8 of a photon, as in Anscombe's transform: nothing is sure of having none.
    /// </param>
    /// <returns>The same shape; the caller owns it.</returns>
    public Tensor Deviations(Tensor signal)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return ((signal.clamp_min(0) + 3.0 / 8 * Gain) * Gain + Sigma * Sigma).sqrt().MoveToOuterDisposeScope();
    }

    /// <summary>The standard deviations of a measurement, whose signal is taken to be its Gaussian mean over some neighbours.</summary>
    /// <param name="y">[N, Output] on [0,1]; borrowed.</param>
    /// <param name="a">The operator that made it.</param>
    /// <returns>The shape of <paramref name="y"/>; the caller owns it.</returns>
    public Tensor DeviationsOf(Tensor y, LinearOperator a)
    {
        if (!a.Output.IsImage)
            return Deviations(y);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor line = torch.tensor([1f, 4f, 6f, 4f, 1f], device: y.device),
            seen = a.Restrict(torch.ones_like(y)),
            kernel = torch.outer(line, line).div(256).expand(y.shape[1], 1, 5, 5);
        return Deviations(Smooth(y * seen) / Smooth(seen).clamp_min(1e-6)).MoveToOuterDisposeScope();

        Tensor Smooth(Tensor t) => torch.nn.functional.conv2d(t, kernel, padding: [2, 2], groups: y.shape[1]);
    }

    /// <summary>Whether an operator's values may be counts: of a picture without negative values they have none.</summary>
    public static bool MayCount(LinearOperator a)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor picture = torch.arange(a.Input.Count, device: a.Device).to(ScalarType.Float32).sin().square().reshape(a.Input.Batch(1)),
            y = a.Apply(picture);
        const double Lobes = 0.02;
        return y.lt(-Lobes * y.abs().max()).to(ScalarType.Float32).mean().item<float>() < Lobes;
    }

    /// <summary>
    /// Reads a level (<c>0.02</c>, <c>5/255</c>), <c>poisson:gain=G,read=R</c>, <c>auto</c> or <c>auto-poisson</c>.
    /// </summary>
    /// <returns>null where the text is none of them, or a number is negative or not finite.</returns>
    public static NoiseModel? Parse(string text)
    {
        if (text is "auto" or "auto-poisson")
            return text == "auto" ? Auto : AutoPoisson;
        const string Poisson = "poisson:";
        if (!text.StartsWith(Poisson, StringComparison.Ordinal))
            return Number(text) is { } sigma ? new(sigma) : null;
        double? gain = null,
            read = null;
        foreach (string part in text[Poisson.Length..].Split(','))
        {
            if (part.StartsWith("gain=", StringComparison.Ordinal) && gain is null && Number(part[5..]) is { } g)
                gain = g;
            else if (part.StartsWith("read=", StringComparison.Ordinal) && read is null && Number(part[5..]) is { } r)
                read = r;
            else
                return null;
        }
        return gain > 0 ? new(read ?? 0, gain.Value) : null;
    }

    /// <summary>A number, or its text where one number does not say it.</summary>
    public JsonNode ToJson() => GrowsWithSignal || IsAuto ? JsonValue.Create(ToString()) : JsonValue.Create(Sigma);

    /// <summary>What <see cref="Parse"/> reads.</summary>
    public override string ToString() =>
        IsAuto ? (GrowsWithSignal ? "auto-poisson" : "auto")
        : GrowsWithSignal ? string.Create(CultureInfo.InvariantCulture, $"poisson:gain={Gain:G6},read={Sigma:G6}")
        : Sigma.ToString(CultureInfo.InvariantCulture);

    private static double? Number(string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length > 2 || !Read(parts[0], out double value))
            return null;
        if (parts.Length == 2)
            value = Read(parts[1], out double divisor) ? value / divisor : double.NaN;
        return value >= 0 && double.IsFinite(value) ? value : null;
    }

    private static bool Read(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
}
