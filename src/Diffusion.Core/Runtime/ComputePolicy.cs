using System.Runtime.Intrinsics.X86;

namespace Diffusion.Runtime;

/// <summary>Where and how networks are computed. Solver arithmetic is float32 whatever the policy says.</summary>
public sealed record ComputePolicy
{
    /// <summary>The device of networks and solver state.</summary>
    public Device Device { get; init; } = new("cpu");

    /// <summary>The dtype of the network's convolutions: float32, or bfloat16/float16 where the processor has fast ones.</summary>
    public ScalarType NetworkDtype { get; init; } = ScalarType.Float32;

    /// <summary>Why <see cref="NetworkDtype"/> is what it is, in a few words for records and reports; null when nobody said.</summary>
    public string? DtypeReason { get; init; }

    /// <summary>Threads inside libtorch's operators (process-wide); null leaves libtorch's choice.</summary>
    public int? Threads { get; init; }

    /// <summary>Fused and in-place paths of the networks. Parity tests switch them off.</summary>
    public bool Fused { get; init; } = true;

    /// <summary>float32 on the CPU, no fused paths: what parity and determinism are tested with.</summary>
    public static ComputePolicy Reference { get; } = new() { Fused = false };

    /// <summary>The fastest policy that this machine's features promise: decided by CPU features and never by timing.</summary>
    /// <param name="device"><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <param name="dtype"><c>auto</c>, <c>fp32</c>, <c>bf16</c> or <c>fp16</c>.</param>
    /// <param name="threads">Threads, or null.</param>
    /// <exception cref="ArgumentException">An unknown name, or CUDA where there is none.</exception>
    public static ComputePolicy Choose(string device = "auto", string dtype = "auto", int? threads = null)
    {
        if (threads is < 1)
            throw new ArgumentException($"Threads must be at least 1, not {threads}.");
        NativeLibraries.LoadTorch();
        bool wantsCuda = device.StartsWith("cuda", StringComparison.Ordinal) || device == "auto";
        if (device is not ("auto" or "cpu") && !IsCudaName(device))
            throw new ArgumentException($"Unknown device \"{device}\". Use auto, cpu, cuda or cuda:N.");
        bool cuda = wantsCuda && torch.cuda.is_available();
        if (!cuda && wantsCuda && device != "auto")
            throw new ArgumentException($"There is no CUDA device for \"{device}\". Use --device cpu.");
        ScalarType type = dtype switch
        {
            "auto" => cuda || HasFastBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32,
            "fp32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            "fp16" when cuda => ScalarType.Float16,
            "fp16" => throw new ArgumentException("fp16 needs CUDA. Use --dtype bf16 or fp32 on the CPU."),
            _ => throw new ArgumentException($"Unknown dtype \"{dtype}\". Use auto, fp32, bf16 or fp16."),
        };
        return new ComputePolicy
        {
            Device = new Device(
                cuda
                    ? device == "auto"
                        ? "cuda"
                        : device
                    : "cpu"
            ),
            NetworkDtype = type,
            DtypeReason =
                dtype != "auto" ? "asked for"
                : cuda ? "CUDA"
                : type == ScalarType.BFloat16 ? "bf16 is fast by the processor's features"
                : "bf16 is not fast by the processor's features",
            Threads = threads,
        };
    }

    /// <summary>
    /// Whether bfloat16 convolutions are about twice as fast as float32 here: with AMX, and on AMD with AVX-512 BF16. Intel's AVX-512 BF16
    /// without AMX runs at half the speed of float32, and everything else emulates it.
    /// </summary>
    public static bool HasFastBfloat16 { get; } = DetectBfloat16();

    /// <summary>Sets libtorch's threads. Process-wide: call it once, before the first restoration.</summary>
    public void Apply()
    {
        NativeLibraries.LoadTorch();
        if (Threads is { } threads)
            torch.set_num_threads(threads);
    }

    private static bool IsCudaName(string device) =>
        device == "cuda"
        || (device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), out int index) && index >= 0);

    private static bool DetectBfloat16()
    {
        if (!X86Base.IsSupported || !Avx512F.IsSupported || X86Base.CpuId(0, 0).Eax < 7)
            return false;
        bool amx = (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0,
            avx512 = (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
        bool amd = X86Base.CpuId(0, 0).Ebx == 0x68747541; // "Auth" of AuthenticAMD
        return amx || (avx512 && amd);
    }
}
