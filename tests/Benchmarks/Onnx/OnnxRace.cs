using System.Diagnostics;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Diffusion.Benchmarks.Onnx;

/// <summary>
/// The shipped network against Microsoft's ONNX Runtime on the same weights: both in one process, interleaved, the minimum of the rounds.
/// </summary>
internal static class OnnxRace
{
    /// <summary>Prints milliseconds of one evaluation for one size.</summary>
    /// <param name="size">Side of the picture.</param>
    /// <param name="rounds">Rounds after the first.</param>
    /// <param name="threads">Threads of each runtime.</param>
    public static void Print(int size, int rounds, int threads)
    {
        using ComputeScope scope = new();
        using NetworkPrior single = ShippedPrior.Load(ComputePolicy.Choose("cpu", "fp32", threads)),
            half = ShippedPrior.Load(ComputePolicy.Choose("cpu", "bf16", threads));
        torch.set_num_threads(threads);
        Tensor x = torch.randn(1, 3, size, size),
            t = torch.tensor([100f]),
            embedding = torch.zeros(1);
        Tensor expected = single.Network.Forward(x, t, trace: (module, output) =>
        {
            if (module == "time_embed")
                embedding = torch.nn.functional.silu(output).DetachFromDisposeScope();
        });

        using SessionOptions options = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        using InferenceSession session = new(AdmExport.Write(single.Network, size, size), options);
        NamedOnnxValue[] inputs = [Input("x", x), Input("embedding", embedding)];
        Tensor answer = torch.tensor(Run().ToArray()).reshape(expected.shape);
        Console.WriteLine(
            string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"{size} px, {threads} thread(s), ONNX Runtime {OrtEnv.Instance().GetVersionString()}: both agree to "
                    + $"{(expected - answer).abs().max().item<float>():0.0e+0} (standard deviation of the output "
                    + $"{expected.std().item<float>():F2})"
            )
        );

        (string Name, Action Run, double Best)[] racers =
        [
            ("ONNX Runtime float32", () => Run(), double.PositiveInfinity),
            ("Diffusion float32", () => single.Network.Forward(x, t).Dispose(), double.PositiveInfinity),
            ("Diffusion bfloat16", () => half.Network.Forward(x, t).Dispose(), double.PositiveInfinity),
        ];
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < racers.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                racers[i].Run();
                if (round > 0)
                    racers[i].Best = Math.Min(racers[i].Best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }
        foreach ((string name, _, double best) in racers)
            Console.WriteLine(
                FormattableString.Invariant($"  {name, -22} {best, 9:F1} ms, {racers[0].Best / best:F2} times as fast as ONNX Runtime")
            );

        float[] Run()
        {
            using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = session.Run(inputs);
            return results[0].AsEnumerable<float>().ToArray();
        }

        static NamedOnnxValue Input(string name, Tensor values) =>
            NamedOnnxValue.CreateFromTensor(
                name,
                new DenseTensor<float>(values.contiguous().data<float>().ToArray(), [.. values.shape.Select(size => (int)size)])
            );
    }
}
