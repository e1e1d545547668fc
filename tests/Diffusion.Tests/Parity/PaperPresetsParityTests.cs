using System.Globalization;
using System.Text.RegularExpressions;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

/// <summary>The settings of the shipped presets against the tables that were noted from the published scripts.</summary>
public sealed partial class PaperPresetsParityTests
{
    private static readonly PriorInfo Prior = new() { Name = "p", Kind = PriorKind.PosteriorMean };

    [Fact]
    public void CM4IR_has_the_published_line_with_and_without_its_deltas() => Assert.All(Table("cm4ir", "data", "optional deltas"), Cm4ir);

    private static void Cm4ir(string[] line)
    {
        string data =
            line[0].Split(' ')[^1] is var word && word.EndsWith(')') ? "imagenet64"
            : word == "64" ? "imagenet64"
            : word;
        string task =
            line[1].StartsWith("SR x", StringComparison.Ordinal) ? "sr" + line[1][4]
            : line[1].Contains("letters", StringComparison.Ordinal) ? "letters"
            : line[1].StartsWith("inpaint", StringComparison.Ordinal) ? "inpaint"
            : "deblur";
        string name = $"{data}-{task}-{line[2]}";
        PresetRequest request = new(new OperatorTraits(), 0.3, Prior);
        SolverEntry entry = SolverCatalog.BuiltIn.Find("cm4ir");
        Cm4irSolver solver = (Cm4irSolver)entry.Create(name, request);
        Assert.Equal(
            (4, (int)Number(line[3]), Number(line[4]), Number(line[5]), 0.1, 0.9999),
            (solver.Steps, solver.StartIndex, solver.Gamma, solver.Zeta, solver.Eta, solver.AlphaMax)
        );
        Assert.Empty(solver.Deltas);
        double[] alphas = [.. line[7].Split(' ').Where(text => text.StartsWith('.')).Select(Number)];
        for (int i = 0; i < alphas.Length; i++)
            Assert.Equal(alphas[i], solver.Alphas[i], 6e-4);

        string withDeltas = name + "-deltas";
        if (line[6] is "none" or "-")
        {
            Assert.DoesNotContain(entry.Presets, preset => preset.Name == withDeltas);
            return;
        }
        Cm4irSolver told = (Cm4irSolver)entry.Create(withDeltas, request);
        string[] deltas = line[6].Split(' ');
        Assert.Equal(deltas[0].Split(',').Select(Number), told.Deltas);
        Assert.Equal(deltas is [_, "t1"] ? DeltaInjection.TimeAndScalings : DeltaInjection.Time, told.DeltaInjection);
        Assert.All(entry.Settings.Where(setting => !setting.Name.StartsWith("delta", StringComparison.Ordinal)), setting =>
            Assert.Equal(setting.Get(solver), setting.Get(told))
        );
    }

    [Fact]
    public void CM4IR_has_no_line_that_was_not_published()
    {
        IReadOnlyList<string[]> lines = Table("cm4ir", "data", "optional deltas");
        int told = lines.Count(line => line[6] is not ("none" or "-"));
        Assert.Equal(2 + lines.Count + told, SolverCatalog.BuiltIn.Find("cm4ir").Presets.Count); // few-step and paper beside them
    }

    [Fact]
    public void RDMD_has_the_published_settings_of_each_program() => Assert.All(Table("rdmd", "program", "iter_num"), Rdmd);

    private static void Rdmd(string[] line)
    {
        bool enlarges = line[0].StartsWith("rdmd_sr", StringComparison.Ordinal);
        PresetRequest request = new(enlarges ? new() { Reduction = 4 } : new() { Blur = true }, 0.05, Prior);
        RdmdSolver solver = (RdmdSolver)SolverCatalog.BuiltIn.Create("rdmd", "paper", request);
        Assert.Equal(
            (Number(line[2]), Number(line[3]), Number(line[4]), $"{solver.Iterations}, quad"),
            (solver.Lambda, solver.Tau, solver.Zeta, line[5])
        );
        Assert.Equal(
            (RdmdSequence.Quadratic, 2 * 49 / 255.0, enlarges ? RdmdResult.DataConsistent : RdmdResult.Diffused),
            (solver.Sequence, solver.RestoreStart, solver.Result)
        );
    }

    [Fact]
    public void DDPG_and_IDPG_have_the_published_lines_of_CelebA() => Assert.All(Table("ddpg", "data", "mode"), Ddpg);

    private static void Ddpg(string[] line)
    {
        // Those of ImageNet, and motion blur beside Gaussian, differ a little and have no preset.
        if (line[0] != "CelebA-HQ" || line[1] == "motion")
            return;
        OperatorTraits traits = line[1].StartsWith("SR", StringComparison.Ordinal) ? new() { Reduction = 4 } : new() { Blur = true };
        PresetRequest request = new(traits, Number(line[2]), Prior);
        DdpgSolver solver = (DdpgSolver)SolverCatalog.BuiltIn.Create("ddpg", "paper", request);
        string[] injected = line[3].Split(" / "),
            plain = line[4].Split(" / ");
        Assert.Equal((100, true, 1.0), (solver.Steps, solver.InjectNoise, solver.ScaleLs));
        Check(injected[0], solver.Gamma);
        Check(injected[1], solver.Zeta);
        Check(injected[2], solver.EtaTilde);
        Assert.Equal(injected[3] == "1" ? DdpgStepSize.Falling : DdpgStepSize.Constant, solver.StepSize);
        if (plain is not [var gamma, var damping])
            return;
        DdpgSolver idpg = (DdpgSolver)SolverCatalog.BuiltIn.Create("ddpg", "idpg", request);
        Assert.Equal((100, false, DdpgStepSize.Constant), (idpg.Steps, idpg.InjectNoise, idpg.StepSize));
        Check(gamma, idpg.Gamma);
        Check(damping, idpg.EtaTilde);

        static void Check(string published, double shipped)
        {
            if (published != "-")
                Assert.Equal(Number(published), shipped);
        }
    }

    private static double Number(string text) => double.Parse(text.Trim(), CultureInfo.InvariantCulture);

    /// <summary>The rows of the first table of a family's notes whose head has both words; skipped where the notes are absent.</summary>
    private static IReadOnlyList<string[]> Table(string family, string first, string second)
    {
        string? file = TestPaths.ParityRoots.Select(root => Path.Combine(root, "notes", family + ".md")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(file is null, "The notes of the published code are absent: set DIFFUSION_SHARED.");
        string[][] rows =
        [
            .. File.ReadAllLines(file!)
                .SkipWhile(line => !(line.StartsWith("| " + first, StringComparison.Ordinal) && line.Contains(second)))
                .TakeWhile(line => line.StartsWith('|'))
                .Skip(2)
                .Select(line => Cells().Matches(line).Select(cell => cell.Groups[1].Value.Trim()).ToArray()),
        ];
        Assert.NotEmpty(rows);
        return rows;
    }

    [GeneratedRegex(@"\|([^|]*)(?=\|)")]
    private static partial Regex Cells();
}
