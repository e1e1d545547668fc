using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Training;

public sealed class NormSiluTests
{
    [Theory]
    [InlineData(ScalarType.Float32, false, 1e-4)]
    [InlineData(ScalarType.BFloat16, false, 0.06)]
    [InlineData(ScalarType.Float32, true, 1e-4)]
    [InlineData(ScalarType.BFloat16, true, 0.06)]
    public void Fused_training_has_the_gradients_of_the_library_operators(ScalarType dtype, bool pixelNorm, double tolerance)
    {
        float[] Gradients(bool fused)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using AdmUNet network = new(
                TrainingFixture.Architecture with
                {
                    ChannelMult = [1, 3],
                    PixelNorm = pixelNorm,
                },
                new ComputePolicy { Fused = fused, NetworkDtype = dtype }
            );
            network.Initialize(1);
            foreach (var parameter in network.Parameters)
                parameter.Value = (
                    parameter.Value.to(ScalarType.Float32) + 0.03 * torch.arange(parameter.Value.numel()).reshape(parameter.Shape).cos()
                )
                    .to(parameter.Value.dtype)
                    .detach()
                    .requires_grad_();
            Tensor x = torch.arange(2 * 3 * 16 * 20).reshape(2, 3, 16, 20).to(ScalarType.Float32).sin();
            Tensor loss = network.Forward(x, torch.tensor([250f, 500f])).square().mean();
            IList<Tensor> gradients = torch.autograd.grad([loss], network.Parameters.Select(p => p.Value).ToList());
            return [.. gradients.SelectMany(g => g.to(ScalarType.Float32).contiguous().data<float>().ToArray())];
        }
        float[] expected = Gradients(fused: false),
            actual = Gradients(fused: true);
        double norm = Math.Sqrt(expected.Sum(v => (double)v * v));
        Assert.True(norm > 1e-6);
        Assert.InRange(Math.Sqrt(expected.Zip(actual, (a, b) => (double)(a - b) * (a - b)).Sum()), 0, tolerance * norm);
    }
}
