using System.Reflection;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Inverse;

/// <summary>The operators that specs may name. Immutable; built by one pass over the exported types of assemblies.</summary>
/// <example><code>
/// OperatorCatalog catalog = OperatorCatalog.From(typeof(Blur).Assembly);
/// using LinearOperator a = catalog.Parse("blur:sigma=2|downsample:factor=4").Bind(new ImageShape(3, 256, 256));
/// </code></example>
public sealed class OperatorCatalog
{
    private readonly IReadOnlyDictionary<string, OperatorKind> _kinds;

    private OperatorCatalog(IEnumerable<OperatorKind> kinds)
    {
        Dictionary<string, OperatorKind> byName = new(StringComparer.Ordinal);
        foreach (OperatorKind kind in kinds)
        {
            if (!byName.TryAdd(kind.Name, kind) && byName[kind.Name].Type != kind.Type)
                throw new OperatorSpecException(
                    $"Two operators are named \"{kind.Name}\": {Place(byName[kind.Name])} and {Place(kind)}",
                    null,
                    "Rename one of them"
                );
        }
        _kinds = byName;
        Kinds = [.. byName.Values.OrderBy(k => k.Name, StringComparer.Ordinal)];
    }

    /// <summary>All operators by name.</summary>
    public IReadOnlyList<OperatorKind> Kinds { get; }

    /// <summary>The operators of assemblies: exported classes marked with <see cref="OperatorAttribute"/>.</summary>
    /// <exception cref="OperatorSpecException">Two operators share a name, or a marked class is no operator.</exception>
    public static OperatorCatalog From(params IEnumerable<Assembly> assemblies) => new(assemblies.SelectMany(KindsOf));

    /// <summary>This catalogue and the operators of further assemblies, such as those of <see cref="Plugins.Load"/>.</summary>
    public OperatorCatalog With(params IEnumerable<Assembly> assemblies) => new(Kinds.Concat(assemblies.SelectMany(KindsOf)));

    /// <summary>The operator of this name.</summary>
    /// <exception cref="OperatorSpecException">There is none; the message names the nearest.</exception>
    public OperatorKind Find(string name) =>
        _kinds.TryGetValue(name, out OperatorKind? kind)
            ? kind
            : throw new OperatorSpecException(
                $"Unknown operator \"{SettingValue.Shorten(name)}\"",
                null,
                NearestName.Advice(name, [.. _kinds.Keys])
            );

    /// <summary>
    /// Reads a spec. Grammar: <c>NAME[:KEY=VALUE[,KEY=VALUE]...]</c> joined by <c>|</c>, the leftmost applied first; double quotes make
    /// everything literal.
    /// </summary>
    /// <exception cref="OperatorSpecException">
    /// An unknown name or key (with the nearest match), a value of the wrong kind or out of range.
    /// </exception>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    public OperatorSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        const int LongestSpec = 1 << 16;
        if (text.Length > LongestSpec)
            throw new OperatorSpecException(
                $"The operator spec has {text.Length} characters",
                null,
                "Put masks, kernels and matrices into files"
            );
        return ComposedSpec.Of(SpecText.Read(text).Select(Create));
    }

    private OperatorSpec Create(SpecText.Part part)
    {
        OperatorKind kind = Find(part.Name);
        string where = SettingValue.Shorten(part.Text);
        Dictionary<string, object?> values = new(StringComparer.Ordinal);
        for (int i = 0; i < part.Settings.Count; i++)
        {
            (string? key, string value) = part.Settings[i];
            if (key is null && kind.Settings.Count == 0)
                throw new OperatorSpecException(
                    $"\"{kind.Name}\" takes no settings, but \"{SettingValue.Shorten(value)}\" was given",
                    where
                );
            key ??= kind.Settings[0].Name;
            Setting setting = kind.Settings.FirstOrDefault(s => s.IsNamed(key))
                ?? throw new OperatorSpecException(
                    $"\"{kind.Name}\" has no key \"{SettingValue.Shorten(key)}\"",
                    where,
                    NearestName.Advice(key, [.. kind.Settings.Select(s => s.Name)])
                );
            if (!values.TryAdd(setting.Name, Read(setting, value, where)))
                throw new OperatorSpecException($"{setting.Name} is given twice", where);
        }
        OperatorSpec spec = kind.Create(values);
        spec.Check();
        return spec;
    }

    private static object? Read(Setting setting, string text, string where)
    {
        try
        {
            return setting.Parse(text);
        }
        catch (SettingException wrong)
        {
            throw new OperatorSpecException(wrong.What, where, wrong.Remedy, wrong);
        }
    }

    private static string Place(OperatorKind kind) => $"{kind.Type.FullName} in {kind.Type.Assembly.GetName().Name}";

    private static IEnumerable<OperatorKind> KindsOf(Assembly assembly)
    {
        Type[] types;
        try
        {
            types = assembly.GetExportedTypes();
        }
        catch (Exception failed)
            when (failed is TypeLoadException or FileNotFoundException or FileLoadException or ReflectionTypeLoadException)
        {
            throw new OperatorSpecException(
                "A plug-in cannot be loaded: " + failed.Message.TrimEnd('.'),
                assembly.Location,
                "Build it against this version of Diffusion.Core and put the libraries that it needs beside it",
                failed
            );
        }
        return types
            .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsDefined(typeof(OperatorAttribute), false))
            .Select(OperatorKind.Of);
    }
}
