using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>One evaluation of the shipped prior, with and without fused kernels.</summary>
[Config(typeof(InProcess))]
public class NetworkBenchmarks
{
    private NetworkPrior _prior = null!;
    private Tensor _x = null!;

    /// <summary>Side of the picture.</summary>
    [Params(64, 256, 512)]
    public int Size { get; set; }

    /// <summary>Whether fused kernels are used.</summary>
    [Params(true, false)]
    public bool Fused { get; set; }

    /// <summary>Loads the prior.</summary>
    [GlobalSetup]
    public void Load()
    {
        _prior = ShippedPrior.Load(ComputePolicy.Choose("cpu", "fp32", Environment.ProcessorCount) with { Fused = Fused });
        _x = torch.zeros(1, 3, Size, Size);
    }

    /// <summary>D(x, 0.3).</summary>
    [Benchmark]
    public void Denoise()
    {
        using ComputeScope scope = new();
        _prior.Denoise(_x, 0.3);
    }

    /// <summary>Frees the prior.</summary>
    [GlobalCleanup]
    public void Free()
    {
        _x.Dispose();
        _prior.Dispose();
    }

    private sealed class InProcess : ManualConfig
    {
        public InProcess() => AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
    }
}
