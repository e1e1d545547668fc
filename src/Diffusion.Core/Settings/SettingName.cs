using System.Text;

namespace Diffusion.Settings;

/// <summary>Names of settings and of their values as users write them.</summary>
internal static class SettingName
{
    /// <summary>A member's name in lower case with hyphens: <c>SigmaStart</c> is <c>sigma-start</c>.</summary>
    public static string Of(string member)
    {
        StringBuilder text = new();
        for (int i = 0; i < member.Length; i++)
        {
            bool starts =
                char.IsUpper(member[i])
                && i > 0
                && (!char.IsUpper(member[i - 1]) || (i + 1 < member.Length && char.IsLower(member[i + 1])));
            if (starts)
                text.Append('-');
            text.Append(char.ToLowerInvariant(member[i]));
        }
        return text.ToString();
    }

    /// <summary>Whether two names are one: case, hyphens and underscores don't matter.</summary>
    public static bool Same(string a, string b) => string.Equals(Squeeze(a), Squeeze(b), StringComparison.OrdinalIgnoreCase);

    private static string Squeeze(string name) =>
        name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
}
