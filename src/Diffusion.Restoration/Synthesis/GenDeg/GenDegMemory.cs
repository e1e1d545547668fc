using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.GenDeg;

/// <summary>The memory that GenDeg takes, and how it keeps within a bound.</summary>
internal sealed class GenDegMemory
{
    // Runtime, libtorch, codecs: an estimate, no whole run of full size has been measured.
    private const long Base = 400L << 20;
    private const int Branches = 3,
        SmallestTile = 256;

    private readonly NetworkMemory _unet,
        _vae,
        _correction;
    private readonly long _text;
    private readonly int _factor;

    /// <summary>From the networks' configurations; nothing is loaded.</summary>
    public GenDegMemory(GenDegBundle bundle, ComputePolicy policy)
    {
        using StableDiffusionUNet unet = new(bundle.UNetConfig, policy);
        using AutoencoderKL vae = new(bundle.VaeConfig, policy);
        using ClipTextEncoder text = new(bundle.TextConfig, policy);
        using Network? correction = bundle.NewCorrection(policy);
        (_unet, _vae, _text) = (NetworkMemory.Of(unet), NetworkMemory.Of(vae), text.WeightBytes);
        _correction = correction is null ? default : NetworkMemory.Of(correction);
        _factor = vae.SizeMultiple;
    }

    /// <summary>The fastest way that keeps within a bound.</summary>
    /// <param name="height">Height of the padded picture.</param>
    /// <param name="width">Width of the padded picture.</param>
    /// <param name="bound">Bytes that the process may take.</param>
    /// <param name="asked">Side of tiles that the user asked for; null: none.</param>
    /// <exception cref="ResourceException">There is none.</exception>
    public GenDegPlan Plan(int height, int width, long bound, int? asked)
    {
        int longest = Math.Max(height, width);
        for (int? tile = asked; tile is null or >= SmallestTile || tile == asked; tile = Next(tile, longest))
        {
            foreach ((bool together, bool frugal) in new[] { (true, false), (false, false), (true, true), (false, true) })
            {
                GenDegPlan plan = new(tile, together, frugal, Bytes(height, width, tile, together, frugal));
                if (plan.Bytes <= bound)
                    return plan;
            }
        }
        long least = Bytes(height, width, SmallestTile, together: false, frugal: true);
        throw new ResourceException(
            FormattableString.Invariant(
                $"GenDeg needs about {least / 1e9:0.0} GB for a picture of {height}x{width} pixels, but {bound / 1e9:0.0} GB are there"
            ),
            remedy: "Allow more with --memory, use --dtype bf16, or a smaller picture"
        );
    }

    private static int? Next(int? tile, int longest) =>
        tile is { } side ? side / 2 : Math.Max(SmallestTile, 1 << (int)Math.Log2(longest - 1));

    private long Bytes(int height, int width, int? tile, bool together, bool frugal)
    {
        double pixels = (double)height * width,
            atOnce = tile is { } side ? Math.Min(pixels, (double)side * side) : pixels;
        (long Weights, double Values)[] stages =
        [
            (_text, 0),
            (_unet.WeightBytes, (together ? Branches : 1) * atOnce / _factor / _factor * _unet.BytesPerPixel),
            (_vae.WeightBytes, atOnce * _vae.BytesPerPixel),
            (_correction.WeightBytes, atOnce * _correction.BytesPerPixel),
        ];
        return Base
            + (long)(
                frugal
                    ? stages.Max(stage => stage.Weights + stage.Values)
                    : stages.Sum(stage => stage.Weights) + stages.Max(stage => stage.Values)
            );
    }
}

/// <summary>How a picture is computed.</summary>
/// <param name="Tile">Side of tiles in pixels; null: none.</param>
/// <param name="Together">Whether the three estimates of a step are computed together.</param>
/// <param name="Frugal">Whether networks are freed after each use.</param>
/// <param name="Bytes">Memory of the process at its peak.</param>
public sealed record GenDegPlan(int? Tile, bool Together, bool Frugal, long Bytes);
