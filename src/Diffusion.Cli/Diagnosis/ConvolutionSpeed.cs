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
        Verdict verdict = new(MachineReport.ProcessorName, Time(ScalarType.Float32), Time(ScalarType.BFloat16));
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

    private static double Time(ScalarType dtype)
    {
        const int Channels = 64, Side = 128;
        Tensor x = torch.ones([1, Side, Side, Channels], dtype: dtype).permute(0, 3, 1, 2);
        Tensor weight = torch.ones([Channels, Channels, 3, 3], dtype: dtype);
        void Convolve() => torch.nn.functional.conv2d(x, weight, padding: [1, 1]).Dispose();
        Convolve();
        double best = double.MaxValue;
        Stopwatch whole = Stopwatch.StartNew();
        while (whole.Elapsed.TotalSeconds < 1)
        {
            long start = Stopwatch.GetTimestamp();
            Convolve();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return 2.0 * 9 * Channels * Channels * Side * Side / best / 1e9;
    }
}
