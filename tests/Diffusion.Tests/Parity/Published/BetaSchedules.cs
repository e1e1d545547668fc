using System.Globalization;
using Diffusion.Sampling;

namespace Diffusion.Tests.Parity;

/// <summary>
/// Schedules and times of published programs that no shipped solver has: their shapes are recorded beside those of the others.
/// </summary>
internal static class BetaSchedules
{
    /// <summary>The named schedules of the DDRM family; linear, which all of its presets take, and quad are shipped ones.</summary>
    public static NoiseSchedule Named(string name, double start, double end, int steps)
    {
        IEnumerable<double> Spaced(double from, double to) =>
            Enumerable.Range(0, steps).Select(i => i == steps - 1 ? to : from + i * ((to - from) / (steps - 1)));
        return name switch
        {
            "linear" => NoiseSchedule.Linear(start, end, steps),
            "quad" => NoiseSchedule.ScaledLinear(start, end, steps),
            "const" => new([.. Enumerable.Repeat(end, steps)]),
            "jsd" => new([.. Enumerable.Range(0, steps).Select(i => 1.0 / (steps - i))]),
            "sigmoid" => new([.. Spaced(-6, 6).Select(u => (end - start) / (1 + Math.Exp(-u)) + start)]),
            _ => throw new ArgumentException($"Unknown noise schedule \"{name}\"."),
        };
    }

    /// <summary>
    /// guided-diffusion's <c>space_timesteps</c>: <c>ddimN</c> is the smallest stride that gives N times from 0 on; counts joined by
    /// commas are <see cref="TimeSequences.Spaced"/>, as DPS asks for it.
    /// </summary>
    public static int[] Spaced(int steps, string request)
    {
        if (!request.StartsWith("ddim", StringComparison.Ordinal))
            return TimeSequences.Spaced(steps, [.. request.Split(',').Select(Whole)]);
        int count = Whole(request["ddim".Length..]),
            stride = Enumerable.Range(1, steps).First(stride => (steps + stride - 1) / stride == count);
        return [.. Enumerable.Range(0, count).Select(k => k * stride)];
        static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }
}
