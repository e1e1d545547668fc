using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Settings;
using Diffusion.Solvers;

namespace Diffusion.Tests.Solvers;

public sealed class SettingsTests
{
    public static TheoryData<string> Owners =>
        [
            .. SolverCatalog.BuiltIn.Entries.Select(entry => "solver " + entry.Name),
            .. ShippedOperators.Catalog.Kinds.Select(kind => "operator " + kind.Name),
        ];

    [Theory, MemberData(nameof(Owners))]
    public void Every_setting_has_one_sentence_of_help(string owner)
    {
        foreach (Setting setting in SettingsOf(owner))
        {
            string where = $"{owner}: {setting.Name}: {setting.About}";
            Assert.True(setting.About.Length is > 4 and < 200, where);
            Assert.False(setting.About.EndsWith('.') || setting.About.Contains('<') || setting.About.Contains('\n'), where);
        }
    }

    [Theory, MemberData(nameof(Owners))]
    public void No_name_or_symbol_means_two_settings(string owner)
    {
        IReadOnlyList<Setting> settings = SettingsOf(owner);
        foreach (string name in settings.SelectMany(setting => (string?[])[setting.Name, setting.Symbol]).OfType<string>())
            Assert.Single(settings, setting => setting.IsNamed(name));
    }

    [Fact]
    public void Help_calls_settings_and_values_what_users_call_them()
    {
        Setting across = ShippedOperators.Catalog.Find("blur").Settings.Single(setting => setting.Name == "sigma-y");
        Assert.Equal("standard deviation of the Gaussian across angle; as sigma when absent", across.About);
        Setting phase = ShippedOperators.Catalog.Find("downsample").Settings.Single(setting => setting.Name == "phase");
        Assert.StartsWith("the pixel of a block that decimate keeps: the middle one", phase.About, StringComparison.Ordinal);
        Setting tweedie = Setting.Of(typeof(PiGdmSolver)).Single(setting => setting.Name == "tweedie");
        Assert.EndsWith("instead of the paper's sqrt(abar_t)", tweedie.About, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blur:sigma=2,sigma_y=1"), InlineData("blur:sigma=2,sigma-y=1"), InlineData("blur:sigma=2,SigmaY=1")]
    public void Operators_take_their_keys_in_either_style_and_print_one(string spec) =>
        Assert.Equal("blur:sigma-y=1", ShippedOperators.Catalog.Parse(spec).ToString());

    [Fact]
    public void Solvers_take_fractions_and_auto_as_operators_do()
    {
        DpirSolver solver = (DpirSolver)
            SolverCatalog
                .BuiltIn.Find("dpir")
                .CreateBlind(null, null, new Dictionary<string, string> { ["sigma_start"] = "51/255", ["sigma-end"] = "auto" });
        Assert.Equal(0.2, solver.SigmaStart, 1e-12);
        Assert.Null(solver.SigmaEnd);
        Assert.Equal(ShippedOperators.Catalog.Parse("mask:random=0.5"), ShippedOperators.Catalog.Parse("mask:random=1/2,stripes=auto"));
    }

    private static IReadOnlyList<Setting> SettingsOf(string owner) =>
        owner.Split(' ') is ["solver", var solver]
            ? SolverCatalog.BuiltIn.Find(solver).Settings
            : ShippedOperators.Catalog.Find(owner.Split(' ')[1]).Settings;
}
