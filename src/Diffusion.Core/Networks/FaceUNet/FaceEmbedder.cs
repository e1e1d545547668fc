using Diffusion.Checkpoints;
using Diffusion.Networks.Layers;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>
/// The vector-quantising embedder of <see cref="FaceUNet"/>: a small encoder, codes, and a decoder that only training uses, which keeps
/// the tokens about the face and not about its degradation.
/// </summary>
public sealed class FaceEmbedder
{
    private const double Epsilon = 1e-6;
    private readonly FaceUNetConfig _config;
    private readonly LatentEncoder _encoder;
    private readonly Conv2d _quant;
    private readonly Parameter _codes;
    private readonly Conv2d _decodeIn;
    private readonly (Conv2d Convolution, GroupNorm Norm)[] _decode;
    private readonly Conv2d _decodeOut;

    internal FaceEmbedder(Network network, FaceUNetConfig config)
    {
        _config = config;
        IReadOnlyList<int> widths = config.TokenWidths;
        _encoder = new LatentEncoder(
            network,
            "embedder.encoder",
            LatentEncoderNames.Taming,
            new(3, config.CodeWidth, widths[0], widths, 1, config.Groups)
        );
        _quant = new Conv2d(network, "embedder.quant_conv", config.CodeWidth, config.CodeWidth, kernel: 1, keepFloat32: true);
        _codes = network.Declare("embedder.codes.weight", [config.Codes, config.CodeWidth], Init.Normal, keepFloat32: true);
        const string Decoder = "embedder.decoder";
        _decodeIn = new Conv2d(
            network,
            $"{Decoder}.conv_in",
            config.CodeWidth,
            widths[^1],
            keepFloat32: true,
            result: network.Policy.NetworkDtype
        );
        _decode =
        [
            .. Enumerable
                .Range(1, widths.Count - 1)
                .Reverse()
                .Select(level =>
                    (
                        new Conv2d(network, $"{Decoder}.up.{level}.conv", widths[level], widths[level - 1]),
                        new GroupNorm(network, $"{Decoder}.up.{level}.norm", widths[level - 1], config.Groups)
                    )
                ),
        ];
        _decodeOut = new Conv2d(network, $"{Decoder}.conv_out", widths[0], 3, keepFloat32: true);
    }

    /// <summary>What the embedder sees of a picture: means of squares of pixels. The caller owns it.</summary>
    /// <param name="x">[N,3,side,side], borrowed.</param>
    public Tensor Glance(Tensor x) => torch.nn.functional.avg_pool2d(x, _config.Glance, _config.Glance);

    /// <summary>
    /// Latents before codes are chosen: each channel has mean 0 and variance 1 over a picture, so that codes cannot all become one.
    /// </summary>
    /// <param name="x">[N,3,side,side] float32 on [-1,1], borrowed.</param>
    /// <returns>[N,code_width,h,w] float32; the caller owns it.</returns>
    public Tensor Encode(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor z = _quant.Forward(_encoder.Forward(Glance(x), null));
        Tensor centered = z - z.mean([2, 3], keepdim: true);
        return (centered / (centered.square().mean([2, 3], keepdim: true) + Epsilon).sqrt()).MoveToOuterDisposeScope();
    }

    /// <summary>The nearest code of each position.</summary>
    /// <param name="z">[N,code_width,h,w] float32, borrowed.</param>
    /// <returns>[N,h,w] int64; the caller owns it.</returns>
    public Tensor Nearest(Tensor z)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        Tensor rows = ChannelsLast.Rows(z);
        Tensor distances = _codes.Value.square().sum(1) - 2 * torch.matmul(rows.reshape(-1, z.shape[1]), _codes.Value.t());
        return distances.argmin(1).view(z.shape[0], z.shape[2], z.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// How unevenly latents would choose codes if they chose at random, the nearer the likelier: ln(codes) less the entropy, 0 where all
    /// are chosen equally. Its gradient brings codes that nobody chooses to where latents are.
    /// </summary>
    /// <param name="z">[N,code_width,h,w] float32, borrowed.</param>
    /// <returns>A scalar; the caller owns it.</returns>
    public Tensor Idleness(Tensor z)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = ChannelsLast.Rows(z).reshape(-1, z.shape[1]);
        Tensor nearness = 2 * torch.matmul(rows, _codes.Value.t()) - _codes.Value.square().sum(1);
        Tensor share = nearness.softmax(1).mean([0]);
        return (Math.Log(_config.Codes) + (share * (share + Epsilon).log()).sum()).MoveToOuterDisposeScope();
    }

    /// <summary>The codes of positions as a picture.</summary>
    /// <param name="indices">[N,h,w] int64, borrowed.</param>
    /// <returns>[N,code_width,h,w]; the caller owns it.</returns>
    public Tensor Codes(Tensor indices)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return _codes
            .Value.index_select(0, indices.flatten())
            .view(indices.shape[0], indices.shape[1], indices.shape[2], -1)
            .permute(0, 3, 1, 2)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The nearest codes as a picture.</summary>
    /// <param name="z">[N,code_width,h,w], borrowed.</param>
    /// <returns>In the same shape; the caller owns it.</returns>
    public Tensor Quantize(Tensor z)
    {
        using Tensor nearest = Nearest(z);
        return Codes(nearest);
    }

    /// <summary>What the codes say about the face: a picture as small as the glance, less its mean colour.</summary>
    /// <param name="codes">[N,code_width,h,w] float32, borrowed.</param>
    /// <returns>[N,3,side/glance,side/glance] float32 on [-1,1]; the caller owns it.</returns>
    public Tensor Decode(Tensor codes)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor h = torch.nn.functional.silu(_decodeIn.Forward(ChannelsLast.Of(codes)));
        foreach ((Conv2d convolution, GroupNorm norm) in _decode)
            h = norm.Activate(Resampling.Double(convolution.Forward(h)));
        return _decodeOut.Forward(h.to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }
}
