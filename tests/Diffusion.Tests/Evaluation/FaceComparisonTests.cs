using System.Text.Json.Nodes;
using Diffusion.Evaluation;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Runtime;
using Diffusion.Tests.Faces;
using Diffusion.Training;

namespace Diffusion.Tests.Evaluation;

public sealed class FaceComparisonTests
{
    [Fact]
    public void The_original_itself_is_perfect_and_the_degraded_face_is_not()
    {
        using ComputeScope scope = new();
        Tensor face = Astronaut.Aligned(256);
        using FaceComparison comparison = new(new FaceDegradation { Blur = (4, 5), Noise = (0.05, 0.06) }.ForSide(256));
        List<string> seen = [];
        FaceContender[] contenders = [.. FaceContender.Baselines, new("original", _ => face.clone())];
        IReadOnlyList<FaceScore> scores = comparison.Measure("a", face, 3, 1, contenders, (score, _) => seen.Add(score.Contender));
        Assert.Equal(["degraded", "bicubic", "original"], seen);
        (FaceScore degraded, FaceScore original) = (scores[0], scores[2]);
        Assert.True(original.Psnr > 80 || double.IsInfinity(original.Psnr));
        Assert.Equal((0, 1), (Math.Round(original.Landmarks, 6), Math.Round(original.HighBand, 6)));
        Assert.Equal(0, original.Identity, 1e-5);
        Assert.Equal(0, original.Gmsd, 1e-6);
        Assert.InRange(degraded.Psnr, 15, 32);
        Assert.InRange(degraded.Landmarks, 0.002, 0.5);
        Assert.InRange(degraded.Identity, 0.02, 1);
        Assert.True(degraded.Gmsd > 0.02);
    }

    [Fact]
    public void The_table_has_means_spreads_and_shares()
    {
        FaceScore[] scores =
        [
            Score("a", FaceContender.Degraded, 20, 0.5),
            Score("b", FaceContender.Degraded, 24, 0.4),
            Score("a", FaceContender.Bicubic, 21, 0.6),
            Score("b", FaceContender.Bicubic, 23, 0.5),
            Score("a", "mine", 22, 0.3),
            Score("b", "mine", 22, 0.45),
        ];
        string[] lines = FaceTable.Markdown(scores).TrimEnd().Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.Equal(lines[0].Count(c => c == '|'), lines[1].Count(c => c == '|'));
        Assert.StartsWith("| degraded | 22.00 ± 2.83 |", lines[2]);
        Assert.EndsWith("| 50 % | 50 % |", lines[4]);
        Assert.Equal(7, FaceTable.Csv(scores).TrimEnd().Split('\n').Length);
        Assert.Contains("a,0,\"mine:detail=0,tokens=false\",22", FaceTable.Csv([Score("a", "mine:detail=0,tokens=false", 22, 0.3)]));
    }

    [Fact]
    public void Programs_get_the_spread_over_faces_and_between_seeds()
    {
        FaceScore[] scores =
        [
            .. new[] { (0UL, 20.0), (0UL, 24.0), (1UL, 22.0), (1UL, 26.0) }.Select(
                (one, i) => Score(i % 2 == 0 ? "a" : "b", "mine", one.Item2, 0.4) with { Seed = one.Item1 }
            ),
            Score("a", FaceContender.Degraded, 18, 0.5),
            Score("b", FaceContender.Degraded, 18, 0.3),
        ];
        JsonNode told = FaceTable.Json(scores);
        Assert.Equal((2, 2), ((int)told["faces"]!, (int)told["seeds"]!));
        JsonNode mine = told["restored_by"]!["mine"]!;
        Assert.Equal(23, (double)mine["psnr"]!["mean"]!);
        Assert.Equal(2.58199, (double)mine["psnr"]!["deviation"]!, 1e-4);
        Assert.Equal(Math.Sqrt(2), (double)mine["psnr"]!["between_seeds"]!, 1e-4);
        Assert.Null(mine["psnr_above_bicubic"]);
        Assert.Equal(0.5, (double)mine["identity_nearer_than_degraded"]!);
    }

    private static FaceScore Score(string face, string contender, double psnr, double identity) =>
        new(face, 0, contender, psnr, 0.1, identity, 0.02, 6, 0.5, 0.1);
}
