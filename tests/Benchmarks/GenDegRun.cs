using System.Diagnostics;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.GenDeg;

namespace Diffusion.Benchmarks;

/// <summary>Whole samples of GenDeg: seconds, and memory against the plan.</summary>
internal static class GenDegRun
{
    /// <summary>Makes one sample and prints what it took.</summary>
    /// <param name="folder">As <see cref="GenDegFiles"/> writes it.</param>
    /// <param name="policy">How it computes.</param>
    /// <param name="side">Side of the picture in pixels.</param>
    /// <param name="steps">Steps of the sampler.</param>
    /// <param name="memory">A bound in bytes; null: none.</param>
    public static void Print(string folder, ComputePolicy policy, int side, int steps, long? memory)
    {
        policy.Apply();
        using ComputeScope scope = new();
        List<double> times = [];
        Stopwatch watch = Stopwatch.StartNew();
        using GenDegGenerator generator = new(folder, new GenDegSettings { Steps = steps }, policy, memory ?? long.MaxValue)
        {
            Progress = _ =>
            {
                times.Add(watch.Elapsed.TotalSeconds);
                watch.Restart();
            },
        };
        GenDegPlan plan = generator.Plan(side, side);
        Console.WriteLine($"planned: {plan}");
        Tensor clean = torch.rand(1, 3, side, side);
        Stopwatch whole = Stopwatch.StartNew();
        using Synthesized sample = generator.Generate(clean, new(DegradationKind.Haze, new(0.1, 0.07), 0, "benchmark"));
        using Process own = Process.GetCurrentProcess();
        Console.WriteLine(
            $"a sample of {side} px in {steps} steps: {whole.Elapsed.TotalSeconds:F1} s; before the second step {times[0]:F1} s, "
                + $"then {(times.Count > 1 ? times.Skip(1).Average() : double.NaN):F2} s a step; "
                + $"{own.PeakWorkingSet64 / 1e9:F2} GB at most, "
                + $"{plan.Bytes / 1e9:F2} GB planned"
        );
    }
}
