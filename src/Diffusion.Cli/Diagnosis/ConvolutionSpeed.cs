using System.Diagnostics;
using System.Text.Json;
using Diffusion.Runtime;

namespace Diffusion.Cli.Diagnosis;

/// <summary>Times a network's typical convolution in fp32 and bf16, and keeps the verdict for this processor.</summary>
internal static class ConvolutionSpeed
{
    /// <summary>What was measured: billions of floating-point operations per second.</summary>
    internal sealed record Verdict(string Processor, double Float32, double Bfloat16)
    {
        /// <summary>The faster number format, by its name in <c>--dtype</c>. bf16 must win clearly: it is the less exact one.</summary>
        public string Dtype => Bfloat16 > 1.15 * Float32 ? "bf16" : "fp32";
    }

    /// <summary>Measures for about two seconds and stores the verdict.</summary>
    public static Verdict Measure()
    {
        using ComputeScope scope = new();
        (double seconds32, double seconds16) = (double.MaxValue, double.MaxValue);
        Func<double> run32 = Convolution(ScalarType.Float32), run16 = Convolution(ScalarType.BFloat16);
        Stopwatch whole = Stopwatch.StartNew();
        // In turn, so that other programs disturb both alike.
        while (whole.Elapsed.TotalSeconds < 2) (seconds32, seconds16) = (Math.Min(seconds32, run32()), Math.Min(seconds16, run16()));
        Verdict verdict = new(MachineReport.ProcessorName, Operations / seconds32 / 1e9, Operations / seconds16 / 1e9);
        Directory.CreateDirectory(Path.GetDirectoryName(VerdictFile)!);
        string temporary = VerdictFile + "." + Environment.ProcessId;
        File.WriteAllText(temporary, JsonSerializer.Serialize(verdict));
        File.Move(temporary, VerdictFile, overwrite: true);
        return verdict;
    }

    /// <summary>The stored verdict for this processor, or null.</summary>
    public static Verdict? Stored()
    {
        try
        {
            return JsonSerializer.Deserialize<Verdict>(File.ReadAllText(VerdictFile)) is { } verdict && verdict.Processor == MachineReport.ProcessorName ? verdict : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private static string VerdictFile { get; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "diffusion", "processor.json");

    private const int Channels = 64, Side = 128;
    private const double Operations = 2.0 * 9 * Channels * Channels * Side * Side;

    /// <summary>A 3x3 convolution in channels-last layout, ready to be timed; the first run has been made.</summary>
    private static Func<double> Convolution(ScalarType dtype)
    {
        Tensor x = torch.ones([1, Side, Side, Channels], dtype: dtype).permute(0, 3, 1, 2);
        Tensor weight = torch.ones([Channels, 3, 3, Channels], dtype: dtype).permute(0, 3, 1, 2);
        double Run()
        {
            long start = Stopwatch.GetTimestamp();
            torch.nn.functional.conv2d(x, weight, padding: [1, 1]).Dispose();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        Run();
        return Run;
    }
}
