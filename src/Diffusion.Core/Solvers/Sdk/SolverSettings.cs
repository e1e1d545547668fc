using System.Reflection;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Solvers;

/// <summary>The settings of a solver's record by name, those that it had once included.</summary>
internal sealed class SolverSettings(Type solver)
{
    private readonly FormerSettingAttribute[] _former = [.. solver.GetCustomAttributes<FormerSettingAttribute>()];

    /// <summary>The solver's name.</summary>
    public string Solver { get; } = solver.GetCustomAttribute<SolverAttribute>()?.Name ?? solver.Name;

    /// <summary>The settings.</summary>
    public IReadOnlyList<Setting> All { get; } = Setting.Of(solver);

    /// <summary>Checks that there is, or was, a setting of this name.</summary>
    /// <exception cref="ArgumentException">There is none; the message names the nearest one.</exception>
    public void Require(string name)
    {
        if (Former(name) is null)
            Find(name);
    }

    /// <summary>Finds a setting by its name, the paper's symbol or a former name.</summary>
    /// <exception cref="ArgumentException">There is no such setting; the message names the nearest one.</exception>
    public Setting Find(string name) =>
        All.FirstOrDefault(setting => SettingName.Same(setting.Name, name))
        ?? All.FirstOrDefault(setting => setting.IsNamed(name))
        ?? throw new ArgumentException(
            $"Solver {Solver} has no setting \"{name}\". {NearestName.Advice(name, [.. All.Select(setting => setting.Name)])}"
        );

    /// <summary>Sets one setting of a fresh solver.</summary>
    /// <exception cref="ArgumentException">There is no such setting, or the value cannot be read or lies out of range.</exception>
    public void Set(ISolver fresh, string name, string text)
    {
        if (Former(name) is not { } former)
            Find(name).Assign(fresh, text);
        else if (former.Value is { } value && !IsSame(value, text.Trim()))
            throw new ArgumentException($"{name} is always {value} in solver {Solver}, not \"{text}\": {former.Remedy}.");
    }

    private FormerSettingAttribute? Former(string name) =>
        _former.FirstOrDefault(former => former.Names.Split('|').Any(known => SettingName.Same(known, name)));

    private static bool IsSame(string value, string text) =>
        SettingName.Same(value, text)
        || (
            double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out double a)
            && double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out double b)
            && a == b
        );
}
