using System.Diagnostics;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Benchmarks;

/// <summary>One evaluation of Stable Diffusion's UNet against its own convolutions and products, computed alone.</summary>
internal static class LatentProfile
{
    // GenDeg's guidance computes three estimates of a step together.
    private const int Tokens = 77,
        Rounds = 2,
        Branches = 3;

    /// <summary>Loads the UNet of a bundle's folder and prints seconds, memory and the share of convolutions and products.</summary>
    /// <param name="folder">As <see cref="LatentFiles"/> or <see cref="GenDegFiles"/> writes it.</param>
    /// <param name="policy">How it computes.</param>
    /// <param name="side">Side of the picture in pixels.</param>
    public static void Print(string folder, ComputePolicy policy, int side)
    {
        policy.Apply();
        using ComputeScope scope = new();
        string gendeg = Path.Combine(folder, "gendeg.ckpt");
        bool guided = File.Exists(gendeg);
        using StableDiffusionFiles files = StableDiffusionFiles.Open(guided ? gendeg : Path.Combine(folder, "stable-diffusion-2-1-base"));
        Stopwatch watch = Stopwatch.StartNew();
        using StableDiffusionUNet unet = files.LoadUNet(policy);
        Console.WriteLine($"loaded in {watch.Elapsed.TotalSeconds:F1} s, {Resident()}");
        int latent = side / 8;
        long batch = guided ? Branches : 1;
        Tensor x = torch.randn(batch, unet.Config.InChannels, latent, latent),
            t = torch.tensor([399f]),
            context = torch.randn(batch, Tokens, unet.Config.CrossAttentionDim);
        for (int round = 0; round < Rounds; round++)
        {
            Used whole = Time(() => unet.Forward(x, t, context));
            Console.WriteLine($"one evaluation at {side} px: {whole}, {Resident()}");
            Dictionary<string, Used> parts = [];
            foreach ((string kind, Func<Tensor> compute) in Products(unet, latent, batch))
            {
                // The first call of a shape prepares kernels; the network's own were prepared by its first evaluation.
                compute().Dispose();
                parts[kind] = parts.GetValueOrDefault(kind).Add(Time(compute));
            }
            Used alone = parts.Values.Aggregate(default(Used), (a, b) => a.Add(b));
            foreach ((string kind, Used used) in parts)
                Console.WriteLine($"  {kind}: {used}");
            Console.WriteLine($"  together: {alone}; the network runs at {alone.Cpu / whole.Cpu:P0} of their speed");
        }
    }

    /// <summary>Every convolution, product and attention of an evaluation.</summary>
    private static IEnumerable<(string Kind, Func<Tensor> Compute)> Products(StableDiffusionUNet unet, int latent, long batch)
    {
        foreach (Parameter parameter in unet.Parameters.Where(p => p.Shape.Length >= 2 && !p.Name.Contains("time_emb")))
        {
            Tensor weight = parameter.Value;
            int level = LevelOf(parameter.Name, unet.Config.BlockOutChannels.Count),
                h = latent >> level;
            if (weight.dim() == 4)
            {
                bool halves = parameter.Name.Contains("downsamplers");
                long pad = weight.shape[2] / 2;
                int seen = halves ? 2 * h : h;
                yield return ("convolutions", () =>
                {
                    using DisposeScope scope = torch.NewDisposeScope();
                    Tensor x = ChannelsLast.Of(torch.ones([batch, weight.shape[1], seen, seen], weight.dtype));
                    return torch
                        .nn.functional.conv2d(x, weight, strides: [halves ? 2 : 1, halves ? 2 : 1], padding: [pad, pad])
                        .MoveToOuterDisposeScope();
                });
                continue;
            }
            bool ofContext = parameter.Name.Contains("attn2.to_k") || parameter.Name.Contains("attn2.to_v");
            yield return ("products", () =>
            {
                using Tensor tokens = torch.ones([batch, ofContext ? Tokens : (long)h * h, weight.shape[1]], weight.dtype);
                return torch.nn.functional.linear(tokens, weight);
            });
            if (!parameter.Name.Contains("to_q"))
                continue;
            long heads = unet.Config.HeadsOf(level),
                width = weight.shape[0] / heads,
                others = parameter.Name.Contains("attn2") ? Tokens : (long)h * h;
            yield return ("attention", () =>
            {
                using Tensor q = torch.ones([batch, heads, (long)h * h, width], weight.dtype),
                    k = torch.ones([batch, heads, others, width], weight.dtype);
                return torch.nn.functional.scaled_dot_product_attention(q, k, k);
            });
        }
    }

    // Of what the layer gives.
    private static int LevelOf(string name, int levels)
    {
        string[] parts = name.Split('.');
        return parts[0] switch
        {
            "down_blocks" => int.Parse(parts[1]) + (parts[2] == "downsamplers" ? 1 : 0),
            "up_blocks" => levels - 1 - int.Parse(parts[1]) - (parts[2] == "upsamplers" ? 1 : 0),
            "mid_block" => levels - 1,
            _ => 0,
        };
    }

    private static Used Time(Func<Tensor> compute)
    {
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        Stopwatch watch = Stopwatch.StartNew();
        compute().Dispose();
        return new Used(watch.Elapsed.TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds);
    }

    private static string Resident()
    {
        using Process own = Process.GetCurrentProcess();
        return $"{own.WorkingSet64 / 1e9:F2} GB resident, {own.PeakWorkingSet64 / 1e9:F2} GB at most";
    }

    /// <summary>Seconds by the clock, and of all processors.</summary>
    private readonly record struct Used(double Wall, double Cpu)
    {
        public Used Add(Used other) => new(Wall + other.Wall, Cpu + other.Cpu);

        public override string ToString() => $"{Wall:F2} s ({Cpu:F2} s of processors)";
    }
}
