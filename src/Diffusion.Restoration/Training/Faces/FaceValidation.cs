using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>How well faces are restored that nothing was trained on, degraded with fixed seeds; means over faces.</summary>
/// <param name="Degraded">PSNR of what is restored.</param>
/// <param name="Restored">PSNR of the results.</param>
/// <param name="Tokenless">PSNR of the results of the UNet without tokens.</param>
/// <param name="DegradedIdentity">Identity distance to the original before.</param>
/// <param name="RestoredIdentity">Identity distance to the original after.</param>
/// <param name="Nearer">Part of the faces in which the identity distance fell.</param>
/// <param name="Gmsd">Gradient magnitude similarity deviation of the results.</param>
/// <param name="Niqe">Of the results alone.</param>
/// <param name="HighBand">Energy above a quarter of a cycle a pixel, relative to the original's.</param>
/// <param name="Codes">How many codes were used.</param>
public sealed record FaceValidation(
    double Degraded,
    double Restored,
    double Tokenless,
    double DegradedIdentity,
    double RestoredIdentity,
    double Nearer,
    double Gmsd,
    double Niqe,
    double HighBand,
    int Codes
)
{
    private const ulong Seed = 0;
    private const int Shown = 6;
    private const double NaN = double.NaN;

    internal static FaceValidation Measure(IFaceLearner learner, IReadOnlyList<TrainingPhoto> faces, string sheet)
    {
        if (faces.Count == 0)
            return new(NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN, NaN, 0);
        using ComputeScope scope = new();
        using IdentityDistance identity = IdentityDistance.Shipped();
        FaceDegradation degradation = new FaceDegradation().ForSide(learner.Side);
        List<double[]> rows = [];
        List<SheetPanel> panels = [];
        HashSet<long> codes = [];
        foreach ((int i, TrainingPhoto photo) in faces.Index())
        {
            Tensor clean = FaceSource.Face(photo, learner.Side);
            using DegradedFace degraded = degradation.Apply(clean, Seed, i);
            Tensor x = degraded.Picture * 2 - 1;
            FaceView view = learner.View(x);
            codes.UnionWith(view.Codes);
            Tensor restored = Picture(view.Restored);
            double before = identity.Between(degraded.Picture, clean),
                after = identity.Between(restored, clean);
            rows.Add([
                Psnr.Compute(degraded.Picture, clean),
                Psnr.Compute(restored, clean),
                view.Tokenless is { } tokenless ? Psnr.Compute(Picture(tokenless), clean) : NaN,
                before,
                after,
                after < before ? 1 : 0,
                Metrics.Gmsd.Compute(restored, clean),
                Metrics.Niqe.Fits(clean.shape[2], clean.shape[3]) ? Metrics.Niqe.Compute(restored) : NaN,
                HighBandEnergy.Ratio(restored, clean),
            ]);
            if (i < Shown)
                panels.AddRange(new("degraded", degraded.Picture.clone()), new("restored", restored), new("clean", clean));
        }
        using Tensor drawn = Sheet.Draw(panels, new SheetOptions { Columns = 6 });
        ImageFile.Write(sheet, drawn, new WriteOptions { Overwrite = true });
        double Mean(int column) => rows.Average(row => row[column]);
        return new(Mean(0), Mean(1), Mean(2), Mean(3), Mean(4), Mean(5), Mean(6), Mean(7), Mean(8), codes.Count);
    }

    private static Tensor Picture(Tensor restored) => ((restored + 1) / 2).clamp(0, 1);

    /// <summary>As a line of <c>validation.csv</c>.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Degraded:0.000},{Restored:0.000},{Tokenless:0.000},{DegradedIdentity:0.0000},")
        + FormattableString.Invariant($"{RestoredIdentity:0.0000},{HighBand:0.000},{Codes},{Nearer:0.00},{Gmsd:0.0000},{Niqe:0.00}");
}
