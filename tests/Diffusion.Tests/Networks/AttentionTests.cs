using Diffusion.Networks;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;
using Diffusion.Tests.Models;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Networks;

public sealed class AttentionTests
{
    [Theory, InlineData(false, 0), InlineData(true, 0), InlineData(true, 2)]
    public void It_is_the_formula_of_the_paper(bool crosses, int kernelRank)
    {
        using ComputeScope scope = new();
        using Layered network = new();
        Attention layer = new(network, AttentionNames.Transformer("a"), 8, heads: 2, crosses ? 6 : null, inner: 12, kernelRank: kernelRank);
        Assert.Equal(
            ["a.to_q.weight", "a.to_k.weight", "a.to_v.weight", "a.to_out.0.weight", "a.to_out.0.bias"],
            network.Parameters.Select(p => p.Name)
        );
        network.Initialize(1);
        Tensor tokens = PhotoPrior.Noise(2, 5, 8),
            seen = crosses ? PhotoPrior.Noise(2, 3, 6) : tokens;
        Tensor W(int i) => network.Parameters[i].Value.flatten(1).transpose(0, 1);
        List<Tensor> heads = [];
        for (int head = 0; head < 2; head++)
        {
            Tensor Part(Tensor all) => all.narrow(2, 6 * head, 6);
            Tensor q = Part(torch.matmul(tokens, W(0))),
                k = Part(torch.matmul(seen, W(1))),
                v = Part(torch.matmul(seen, W(2)));
            heads.Add(torch.matmul((torch.matmul(q, k.transpose(1, 2)) / Math.Sqrt(6)).softmax(-1), v));
        }
        Tensor expected = torch.matmul(torch.cat([.. heads], dim: 2), W(3)) + network.Parameters[4].Value;
        TensorAssert.Close("attention", expected, layer.Forward(tokens, crosses ? seen : null), 1e-5, 1e-5);
    }

    [Theory, InlineData(2), InlineData(8)]
    public void A_grouped_convolution_is_one_convolution_a_group(int groups)
    {
        using ComputeScope scope = new();
        using Layered network = new(new ComputePolicy());
        Conv2d layer = new(network, "c", 8, 16, groups: groups);
        network.Initialize(2);
        Assert.Equal([16, 8 / groups, 3, 3], network.Parameters[0].Shape);
        Tensor x = PhotoPrior.Noise(1, 8, 6, 7);
        Tensor[] parts =
        [
            .. Enumerable
                .Range(0, groups)
                .Select(g =>
                    torch.nn.functional.conv2d(
                        x.narrow(1, g * 8 / groups, 8 / groups),
                        network.Parameters[0].Value.narrow(0, g * 16 / groups, 16 / groups),
                        network.Parameters[1].Value.narrow(0, g * 16 / groups, 16 / groups),
                        padding: [1L, 1L]
                    )
                ),
        ];
        TensorAssert.Close("convolution", torch.cat(parts, dim: 1), layer.Forward(x), 1e-5, 1e-5);
        Assert.Contains("into 3 groups", Assert.Throws<ArgumentException>(() => new Conv2d(network, "d", 8, 16, groups: 3)).Message);
    }

    private sealed class Layered(ComputePolicy? policy = null) : Network(policy);
}
