using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Settings;
using Diffusion.Solvers;

namespace Diffusion.Tests.Parity;

/// <summary>
/// The <c>paper</c> presets of the samplers whose published settings stand in the recorded cases and in sentences of the notes; those with
/// a table are <see cref="PaperPresetsParityTests"/>'.
/// </summary>
public sealed class PaperSettingsParityTests
{
    private static readonly PriorInfo Prior = new() { Name = "p", Kind = PriorKind.PosteriorMean };

    // Other keys of these cases were varied on purpose.
    [Theory]
    [InlineData("ddrm/inpaint-noiseless", "paper", "eta_A eta_B eta_C")]
    [InlineData("ddnm/sr4-average-noisy", "paper", "eta travel_length travel_repeat")]
    [InlineData("ddnm/simplified-sr4-average", "simplified", "eta travel_length travel_repeat")]
    [InlineData("diffpir/deblur-gauss-noisy05", "paper", "lambda_ zeta guidance_scale skip_type clip_denoised sigma_floor")]
    [InlineData("diffpir/inpaint-random-noiseless", "paper", "lambda_ zeta guidance_scale skip_type clip_denoised sigma_floor")]
    [InlineData("diffpir/sr4-noisy05", "paper", "lambda_ zeta guidance_scale skip_type clip_denoised sigma_floor")]
    [InlineData("dps/gaussian-blur-noiseless-ddim", "paper", "scale clip_denoised")]
    [InlineData("dps/inpaint-noisy", "paper", "scale clip_denoised sampler")]
    [InlineData("dps/sr4-noisy", "paper", "scale clip_denoised sampler")]
    [InlineData("pigdm/inpaint-noisy", "paper", "mcg grad_term_weight hard_replacement")]
    [InlineData("pigdm/sr4-average-noiseless", "paper", "eta awd mcg grad_term_weight")]
    [InlineData("reddiff/inpaint-noisy", "paper", "grad_term_weight obs_weight denoise_term_weight sigma_x0")]
    [InlineData("reddiff/sr4-average-noiseless", "paper", "lr grad_term_weight obs_weight sigma_x0")]
    [InlineData("dpir/deblur-noisy-x8", "paper", "modelSigma1 rho_factor x8 sigma_floor")]
    [InlineData("dpir/sr2-noisy", "paper", "modelSigma1 rho_factor sigma_floor")]
    public void A_preset_has_the_settings_of_the_recorded_case(string name, string preset, string keys)
    {
        string folder = Shared(name);
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "case.json")));
        JsonElement config = file.RootElement.GetProperty("config");
        string family = name.Split('/')[0],
            task = config.GetProperty("task").GetString()!;
        ISolver solver = Preset(family, preset, task, config.GetProperty("sigma_y").GetDouble());
        foreach (string key in keys.Split(' '))
        {
            JsonElement recorded = config.GetProperty(key);
            string actual = Value(family, solver, key == "rho_factor" ? "lambda" : key);
            if (recorded.ValueKind != JsonValueKind.Number)
            {
                Assert.Equal(recorded.ToString().Replace("_", "-", StringComparison.Ordinal), actual, ignoreCase: true);
                continue;
            }
            // The published programs count these on [0,1] and on [0,255].
            double unit = key switch
            {
                "sigma_floor" => 2,
                "modelSigma1" => 2 / 255.0,
                _ => 1,
            };
            Assert.Equal(recorded.GetDouble() * unit, Number(actual), 1e-6);
        }
    }

    [Theory]
    [InlineData("ddrm", "paper", "sr", @"Published settings: T = (\S+), eta (\S+), eta_B (\d+)", "steps eta_A eta_B")]
    [InlineData(
        "ddnm",
        "paper",
        "sr",
        @"Presets: T_sampling (\d+), travel_length (\d+), travel_repeat (\d+) \([^)]*\), eta ([\d.]+\d)",
        "steps travel_length travel_repeat eta"
    )]
    [InlineData("diffpir", "paper", "deblur", @"iter (\d+) \(\d+ for inpainting\)", "steps")]
    [InlineData("diffpir", "paper", "deblur", @"deblurring sigma \.05: lambda (\d+), zeta ([\d.]+)", "lambda zeta")]
    [InlineData("diffpir", "paper", "sr", @"iter (\d+) \(\d+ for inpainting\)", "steps")]
    [InlineData("diffpir", "paper", "sr", @"lambda swept 2\.\.12, zeta ([\d.]+)", "zeta")]
    [InlineData("diffpir", "paper", "inpaint", @"lambda (\d+), zeta (\d+), random mask 50 %, (\d+) iterations", "lambda zeta steps")]
    [InlineData("dps", "paper", "sr", @"Presets: (ddpm), (\d+) steps .*scale ([\d.]+) \(SR x4", "sampler steps scale")]
    [InlineData("dps", "paper", "inpaint", @"nonlinear blur\), ([\d.]+) \(inpainting", "scale")]
    [InlineData("pigdm", "paper", "sr", @"use eta ([\d.]+), (\d+) steps", "eta steps")]
    [InlineData(
        "reddiff",
        "paper",
        "sr",
        @"config lr ([\d.]+), grad_term_weight ([\d.]+), obs_weight (\d+), (linear), sigma_x0 (\d+), (\d+) steps",
        "lr grad_term_weight obs_weight denoise_term_weight sigma_x0 steps"
    )]
    [InlineData("dpir", "paper", "deblur", @"Presets: deblurring (\d+) iterations", "iterations")]
    [InlineData("dpir", "paper", "sr", @"SR (\d+) iterations", "iterations")]
    public void A_preset_has_the_settings_that_the_notes_tell(string family, string preset, string task, string told, string keys)
    {
        Match sentence = Regex.Match(File.ReadAllText(Shared($"notes/{family}.md")), told);
        Assert.True(sentence.Success, $"The notes of {family} don't say \"{told}\".");
        ISolver solver = Preset(family, preset, task, 0.05);
        foreach ((string key, int i) in keys.Split(' ').Select((key, i) => (key, i)))
        {
            string expected = sentence.Groups[i + 1].Value,
                actual = Value(family, solver, key);
            if (char.IsLetter(expected[0]))
                Assert.Equal(expected, actual);
            else
                Assert.Equal(Number(expected), Number(actual), 1e-6);
        }
    }

    private static ISolver Preset(string family, string preset, string task, double noise) =>
        SolverCatalog.BuiltIn.Create(
            family,
            preset,
            new PresetRequest(
                task.StartsWith("inpaint", StringComparison.Ordinal) ? new() { Mask = true }
                    : task.StartsWith('s') ? new() { Reduction = 4 }
                    : new() { Blur = true },
                noise,
                Prior
            )
        );

    private static string Value(string solver, ISolver settings, string key) =>
        SolverCatalog.BuiltIn.Find(solver).Settings.Single(setting => setting.IsNamed(key)).Get(settings);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string Shared(string name)
    {
        string? path = TestPaths.ParityRoots.Select(root => Path.Combine(root, name)).FirstOrDefault(Path.Exists);
        Assert.SkipWhen(path is null, "What was recorded of the published code is absent: set DIFFUSION_SHARED.");
        return path!;
    }
}
