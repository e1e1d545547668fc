using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Diffusion.Runtime;

namespace Diffusion.Cli.Diagnosis;

/// <summary>The machine and the runtime, as far as they can be read without a native library.</summary>
internal static class MachineReport
{
    /// <summary>What is there.</summary>
    public static IEnumerable<Finding> Findings()
    {
        string version = typeof(MachineReport)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0]
            ?? "?";
        yield return new("diffusion", $"{version} in {AppContext.BaseDirectory}");
        yield return new(
            "system",
            $"{RuntimeInformation.OSDescription}, {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.FrameworkDescription}"
        );
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            yield return new(
                "processor",
                RuntimeInformation.ProcessArchitecture.ToString(),
                "libtorch exists for linux-x64, win-x64 and osx-arm64 only",
                IsFault: true
            );
        yield return new("processor", $"{ProcessorName}, {Environment.ProcessorCount} logical cores, {Features()}");
        yield return new(
            "number format",
            ComputePolicy.HasFastBfloat16 ? "bf16 (fast on this processor)" : "fp32 (bf16 is not fast on this processor)"
        );
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        yield return new("memory", $"{memory.TotalAvailableMemoryBytes / 1e9:0.0} GB");
        foreach (string name in (string[])["OMP_WAIT_POLICY", "OMP_NUM_THREADS", "DIFFUSION_PRIORS"])
            if (Environment.GetEnvironmentVariable(name) is { } value)
                yield return new(
                    "environment",
                    $"{name}={value}",
                    name == "OMP_WAIT_POLICY" && value.Equals("active", StringComparison.OrdinalIgnoreCase)
                        ? "Unset it: spinning threads are slow on a busy machine"
                        : null
                );
    }

    /// <summary>The processor's name as it gives it itself.</summary>
    public static string ProcessorName { get; } = ReadProcessorName();

    private static string ReadProcessorName()
    {
        if (!X86Base.IsSupported)
            return RuntimeInformation.ProcessArchitecture.ToString();
        (int highest, _, _, _) = X86Base.CpuId(unchecked((int)0x80000000), 0);
        if ((uint)highest < 0x80000004)
            return "x86-64";
        int[] words =
        [
            .. Enumerable
                .Range(2, 3)
                .SelectMany(i =>
                {
                    (int a, int b, int c, int d) = X86Base.CpuId(unchecked((int)0x80000000) + i, 0);
                    return (int[])[a, b, c, d];
                }),
        ];
        return System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words.AsSpan())).Trim('\0', ' ');
    }

    private static string Features()
    {
        List<string> features = [];
        if (Avx2.IsSupported)
            features.Add("AVX2");
        if (Avx512F.IsSupported)
            features.Add("AVX-512");
        if (Avx512F.IsSupported && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0)
            features.Add("AVX-512 BF16");
        if (Avx512F.IsSupported && (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0)
            features.Add("AMX");
        if (System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported)
            features.Add("NEON");
        return features.Count == 0 ? "no vector extensions" : string.Join(", ", features);
    }
}
