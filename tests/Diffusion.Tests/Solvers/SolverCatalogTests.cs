using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Settings;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

public sealed class SolverCatalogTests
{
    private static readonly PresetRequest Request = new(
        new OperatorTraits { Blur = true },
        0.02,
        new PriorInfo { Name = "p", Kind = PriorKind.PosteriorMean },
        4
    );

    [Fact]
    public void Settings_are_read_by_name_and_by_the_papers_symbol()
    {
        Cm4irSolver solver = (Cm4irSolver)Create(
            "CM4IR",
            ("eta", "0.25"),
            ("iN", "75"),
            ("deltas", "0.1,0,0,0.05"),
            ("deltas_injection_type", "time-and-scalings")
        );
        Assert.Equal(0.25, solver.Eta);
        Assert.Equal(75, solver.StartIndex);
        Assert.Equal([0.1, 0, 0, 0.05], solver.Deltas);
        Assert.Equal(DeltaInjection.TimeAndScalings, solver.DeltaInjection);
    }

    [Theory]
    [InlineData("cm4ir", "eta", "2", "eta must lie between 0 and 1, not 2")]
    [InlineData("cm4ir", "eta", "NaN", "eta must be a number, not \"NaN\"")]
    [InlineData("cm4ir", "steps", "0", "steps must lie between 1 and 1000, not 0")]
    [InlineData("cm4ir", "steps", "four", "steps must be a whole number, not \"four\"")]
    [InlineData("cm4ir", "guidance", "magic", "guidance is always back-projection in solver cm4ir, not \"magic\"")]
    [InlineData("cm4ir", "deltas", "0.1,0.2", "There are 2 deltas for 4 steps")]
    [InlineData("dpir", "x8", "maybe", "turns must be one of true, false, not \"maybe\"")]
    [InlineData("rdmd", "gravity", "1", "no setting \"gravity\"")]
    [InlineData("rdmd", "tauu", "1", "Did you mean \"tau\"")]
    [InlineData("cm5ir", "eta", "1", "Did you mean \"cm4ir\"")]
    public void Wrong_settings_are_refused_in_one_sentence(string solver, string key, string value, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => Create(solver, (key, value))).Message);

    [Fact]
    public void A_wrong_value_is_refused_in_code_too() =>
        Assert.Contains("zeta must lie between 0 and 1", Assert.Throws<ArgumentException>(() => new RdmdSolver { Zeta = 1.5 }).Message);

    [Fact]
    public void Unknown_presets_and_fewer_than_one_step_are_refused()
    {
        Assert.Contains("few-step", Assert.Throws<ArgumentException>(() => SolverCatalog.BuiltIn.Create("dpir", "best", Request)).Message);
        Assert.Contains(
            "at least 1",
            Assert.Throws<ArgumentException>(() => SolverCatalog.BuiltIn.Create("dpir", null, Request with { MaxEvaluations = 0 })).Message
        );
    }

    [Fact]
    public void Two_solvers_of_one_name_are_refused_naming_both()
    {
        string message = Assert.Throws<ArgumentException>(() => SolverCatalog.With(typeof(Impostor).Assembly)).Message;
        Assert.Contains("Diffusion.Solvers.DpirSolver", message);
        Assert.Contains(typeof(Impostor).FullName!.Replace('+', '.').Split('.')[^1], message);
    }

    [Fact]
    public void Every_setting_says_what_it_is_and_every_preset_where_it_comes_from()
    {
        foreach (SolverEntry entry in SolverCatalog.BuiltIn.Entries)
        {
            Assert.NotEmpty(entry.About);
            Assert.NotEmpty(entry.Settings);
            Assert.All(entry.Settings, setting =>
                Assert.False(string.IsNullOrEmpty(setting.About) || string.IsNullOrEmpty(setting.Kind), $"{entry.Name}.{setting.Name}")
            );
            Assert.All(entry.Presets, preset => Assert.NotEmpty(preset.About));
            Assert.Equal(entry.Presets.Count, entry.Presets.Select(preset => preset.Name).Distinct().Count());
            if (entry.Name is not ("mirror" or "twin")) // the project's own
                Assert.Contains(entry.Presets, preset => preset.Name == "paper" && preset.Source is not null);
        }
    }

    [Fact]
    public void A_settings_text_reads_back_to_the_same_value()
    {
        foreach (SolverEntry entry in SolverCatalog.BuiltIn.Entries)
        {
            ISolver solver = entry.Create(null, Request);
            IReadOnlyList<Setting> settings = Setting.Of(solver.GetType());
            Dictionary<string, string> values = settings.ToDictionary(setting => setting.Name, setting => setting.Get(solver));
            ISolver again = entry.Create(null, Request, values);
            Assert.Equal(values, settings.ToDictionary(setting => setting.Name, setting => setting.Get(again)));
        }
    }

    [Theory]
    [InlineData(true, 1, 0.025, "bedroom-inpaint-0.025")]
    [InlineData(false, 4, 0.06, "bedroom-sr4-0.05")]
    [InlineData(false, 2, 0.02, "bedroom-sr4-0.025")]
    [InlineData(false, 1, 0.02, "bedroom-deblur-0.025")]
    public void The_paper_preset_takes_the_published_line_of_the_task_and_the_nearest_noise(
        bool mask,
        int factor,
        double noise,
        string line
    )
    {
        PresetRequest request = Request with
        {
            Traits = new OperatorTraits
            {
                Mask = mask,
                Reduction = factor,
                Blur = !mask && factor == 1,
            },
            Noise = noise,
        };
        SolverEntry entry = SolverCatalog.BuiltIn.Find("cm4ir");
        ISolver chosen = entry.Create("paper", request),
            named = entry.Create(line, request);
        Assert.All(entry.Settings, setting => Assert.Equal(setting.Get(named), setting.Get(chosen)));
    }

    [Theory]
    [InlineData("cm4ir", "mirror", typeof(Cm4irSolver))]
    [InlineData("rdmd", "twin", typeof(RdmdSolver))]
    public void A_papers_name_without_a_preset_is_the_projects_own_solver(string paper, string own, Type published)
    {
        SolverEntry entry = SolverCatalog.BuiltIn.Find(paper);
        ISolver expected = SolverCatalog.BuiltIn.Create(own, null, Request);
        Assert.Equal(own, SolverEntry.NameOf(expected));
        foreach (string? preset in (string?[])[null, "few-step"])
            Assert.Equal(expected, entry.Create(preset, Request));
        Assert.IsType(published, entry.Create("paper", Request));
        Assert.All(entry.Presets.Where(preset => preset.Name != "few-step"), preset =>
            Assert.Equal((published, true), (preset.Create(Request).GetType(), preset.Source is not null))
        );
    }

    [Fact]
    public void The_papers_own_consistency_models_get_the_published_settings()
    {
        PresetRequest bedroom = Request with { Prior = Request.Prior with { Name = "cd-bedroom", Kind = PriorKind.Consistency } };
        ISolver named = SolverCatalog.BuiltIn.Create("cm4ir", "bedroom-deblur-0.025", bedroom),
            chosen = SolverCatalog.BuiltIn.Create("cm4ir", null, bedroom);
        Assert.All(Setting.Of(typeof(Cm4irSolver)), setting => Assert.Equal(setting.Get(named), setting.Get(chosen)));
        PresetRequest photo = Request with { Prior = Request.Prior with { Name = "photo-cm", Kind = PriorKind.Consistency } };
        Assert.IsType<MirrorSolver>(SolverCatalog.BuiltIn.Create("cm4ir", null, photo));
    }

    [Theory]
    [InlineData("cm4ir", null, "start=guess ladder=geometric guidance=proximal gamma=0.7 iN=250 alpha_max=0.9999 zeta=0 sigma_t_min=0.002")]
    [InlineData("cm4ir", null, "sigma-start=0.4 SIGMA_END=0.05 lambda=0.2 eta=0.1 deltas=1,0.5,0,0 deltas_injection_type=time turns=false")]
    [InlineData("cm4ir", "paper", "start=back-projection ladder=published guidance=back-projection sigma-start=0.3")]
    [InlineData("rdmd", null, "sequence=geometric data-step=proximal start=guess result=mean clip=true mirror=true sigma_floor=0.002")]
    [InlineData("rdmd", "paper", "skip_type=quadratic data_step=gradient start=measurement mirror=false turns=false result=diffused")]
    [InlineData("diffpir", null, "from=measurement start=guess sigma_start=0.3")]
    public void Settings_of_old_commands_and_bench_files_are_read(string solver, string? preset, string set)
    {
        Dictionary<string, string> values = set.Split(' ').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        SolverCatalog.BuiltIn.Find(solver).CheckNames(preset, values.Keys);
        Assert.NotNull(SolverCatalog.BuiltIn.Create(solver, preset, Request, values));
    }

    [Theory]
    [InlineData("cm4ir", null, "ladder", "published", "ladder is always geometric in solver mirror")]
    [InlineData("cm4ir", null, "min-sigma", "0.1", "min-sigma is always 0.002 in solver mirror")]
    [InlineData("rdmd", "paper", "mirror", "true", "mirror is always false in solver rdmd")]
    public void Settings_that_went_to_another_solver_say_where(string solver, string? preset, string key, string value, string expected) =>
        Assert.Contains(
            expected,
            Assert
                .Throws<ArgumentException>(() =>
                    SolverCatalog.BuiltIn.Create(solver, preset, Request, new Dictionary<string, string> { [key] = value })
                )
                .Message
        );

    [Theory]
    [InlineData(4, 2), InlineData(1, 3)]
    public void RDMD_as_published_refuses_fewer_evaluations_than_have_a_data_step(int factor, int least)
    {
        PresetRequest request = Request with
        {
            Traits = new OperatorTraits { Reduction = factor, Blur = factor == 1 },
        };
        Assert.Equal(least, SolverCatalog.BuiltIn.Create("rdmd", "paper", request with { MaxEvaluations = least }).Evaluations);
        Assert.Contains(
            $"at least {least} evaluations here, not {least - 1}",
            Assert
                .Throws<ArgumentException>(() => SolverCatalog.BuiltIn.Create("rdmd", "paper", request with { MaxEvaluations = least - 1 }))
                .Message
        );
    }

    private static ISolver Create(string solver, params (string Key, string Value)[] set) =>
        SolverCatalog.BuiltIn.Create(
            solver,
            solver.StartsWith("cm4", StringComparison.OrdinalIgnoreCase) ? "paper" : null,
            Request,
            set.ToDictionary(pair => pair.Key, pair => pair.Value)
        );
}

/// <summary>Takes a name that is taken.</summary>
[Solver("dpir", About = "a second DPIR")]
public sealed record Impostor : ISolver
{
    public int Evaluations => 1;

    public Tensor Solve(InverseProblem problem, IDenoiser prior, SolverContext context) =>
        throw new NotSupportedException("It only takes a name.");
}
