using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
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
        Func<double> run32 = Convolution(ScalarType.Float32),
            run16 = Convolution(ScalarType.BFloat16);
        Stopwatch whole = Stopwatch.StartNew();
        // In turn, so that other programs disturb both alike.
        while (whole.Elapsed.TotalSeconds < 2)
            (seconds32, seconds16) = (Math.Min(seconds32, run32()), Math.Min(seconds16, run16()));
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
            // Without reflection: this is read at every start.
            return
                JsonNode.Parse(File.ReadAllText(VerdictFile)) is JsonObject stored
                && (string?)stored[nameof(Verdict.Processor)] is { } name
                && name == MachineReport.ProcessorName
                && stored[nameof(Verdict.Float32)] is JsonValue single
                && stored[nameof(Verdict.Bfloat16)] is JsonValue half
                ? new Verdict(name, (double)single, (double)half)
                : null;
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Where the verdict is kept.</summary>
    public static string VerdictFile { get; } =
        Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "diffusion",
            "processor.json"
        );

    private const int Channels = 64,
        Side = 128;
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
