using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Settings;

namespace Diffusion.Cli.Verbs;

/// <summary>What the verbs about operators share.</summary>
internal static class OperatorVerbs
{
    /// <summary>The operators, with those of plug-ins.</summary>
    public static OperatorCatalog Catalog(Session session, Option<string[]> plugins) => new Catalogs(session, plugins).Operators;

    /// <summary>What a setting may be: choices, or a type with range and unit.</summary>
    public static string Values(Setting setting) =>
        setting.Choices.Count > 0
            ? setting.Kind
            : string.Join(' ', ((string?[])[setting.Kind, setting.Range, setting.Unit]).Where(part => !string.IsNullOrEmpty(part)));
}
