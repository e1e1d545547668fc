using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The feature maps of DISTS (Ding et al. 2020): torchvision's VGG-16 in its parameter names, with smooth L2 pooling in place of the
/// maximum.
/// </summary>
public sealed class DistsNetwork : Network
{
    // torchvision's features: numbers of the convolutions of each stage.
    private static readonly int[][] Stages =
    [
        [0, 2],
        [5, 7],
        [10, 12, 14],
        [17, 19, 21],
        [24, 26, 28],
    ];
    private static readonly int[] Multiples = [1, 2, 4, 8, 8];
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f],
        Deviation = [0.229f, 0.224f, 0.225f];
    private readonly Conv2d[][] _stages;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">Channels of the first stage: 64.</param>
    /// <param name="policy">How it computes.</param>
    public DistsNetwork(int width = 64, ComputePolicy? policy = null)
        : base(policy)
    {
        long inputs = 3;
        _stages =
        [
            .. Stages.Select(
                (layers, stage) =>
                    layers
                        .Select(layer =>
                        {
                            Conv2d convolution = new(this, $"features.{layer}", inputs, width * Multiples[stage]);
                            inputs = width * Multiples[stage];
                            return convolution;
                        })
                        .ToArray()
            ),
        ];
    }

    /// <summary>Loads torchvision's VGG-16, with or without its classifier.</summary>
    /// <exception cref="CheckpointException">The file is missing, or it is no such network.</exception>
    public static DistsNetwork Load(string path)
    {
        using ICheckpoint file = Checkpoint.Open(path);
        if (!file.Tensors.TryGetValue("features.0.weight", out TensorEntry? first) || first.Shape is not [var width, 3, 3, 3])
            throw new CheckpointException("The file holds no VGG-16", path, "Give torchvision's vgg16");
        DistsNetwork network = new((int)width);
        using ICheckpoint needed = new CheckpointView(file, "", name => name.StartsWith("features.", StringComparison.Ordinal));
        NetworkWeights.Fill(network, needed);
        return network;
    }

    /// <summary>Five feature maps, the finest first. Differentiable when gradients are on.</summary>
    /// <param name="x">[N,3,H,W] float32 on [0,1], borrowed.</param>
    /// <returns>Feature maps [N,C,h,w]; the caller owns them (they are in its dispose scope).</returns>
    public IReadOnlyList<Tensor> Forward(Tensor x)
    {
        Tensor h = (x - torch.tensor(Mean).reshape(1, 3, 1, 1)) / torch.tensor(Deviation).reshape(1, 3, 1, 1);
        List<Tensor> maps = [];
        foreach (Conv2d[] stage in _stages)
        {
            if (maps.Count > 0)
                h = Pooled(h);
            foreach (Conv2d convolution in stage)
                h = convolution.Forward(h).relu();
            maps.Add(h);
        }
        return maps;
    }

    // The root of the squares, smoothed by a Hann window of 3x3 and halved.
    private static Tensor Pooled(Tensor h)
    {
        Tensor window = torch.tensor([0.25f, 0.5f, 0.25f]);
        Tensor kernel = (window.unsqueeze(1) * window).expand(h.shape[1], 1, 3, 3);
        Tensor smooth = torch.nn.functional.conv2d(h.square(), kernel, strides: [2, 2], padding: [1, 1], groups: h.shape[1]);
        return (smooth + 1e-12).sqrt();
    }
}
