using System.CommandLine;
using System.Globalization;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Operators;

namespace Diffusion.Cli.Verbs;

/// <summary>What the verbs about operators share.</summary>
internal static class OperatorVerbs
{
    /// <summary>The operators, with those of plug-ins.</summary>
    public static OperatorCatalog Catalog(Session session, Option<string[]> plugins) =>
        session.Get(plugins) is { Length: > 0 } paths
            ? UsageException.Guard(() => ShippedOperators.Catalog.With(paths.SelectMany(Plugins.Load)))
            : ShippedOperators.Catalog;

    /// <summary>What a parameter may be: choices, or a type with range and unit.</summary>
    public static string Values(OperatorParameter parameter)
    {
        if (parameter.Choices.Count > 0)
            return string.Join('|', parameter.Choices);
        Type type = Nullable.GetUnderlyingType(parameter.Type) ?? parameter.Type;
        string kind =
            type == typeof(bool) ? "true|false"
            : type == typeof(int) || type == typeof(long) || type == typeof(ulong) ? "integer"
            : type == typeof(double) || type == typeof(float) ? "number"
            : type == typeof(string) ? "text"
            : type.Name.ToLowerInvariant();
        string low = double.IsInfinity(parameter.Setting.Min) ? "" : parameter.Setting.Min.ToString("0.####", CultureInfo.InvariantCulture);
        string high = double.IsInfinity(parameter.Setting.Max)
            ? ""
            : parameter.Setting.Max.ToString("0.####", CultureInfo.InvariantCulture);
        string range = low.Length + high.Length == 0 ? "" : $" {low}..{high}";
        return kind + range + (parameter.Setting.Unit is { } unit ? " " + unit : "");
    }
}
