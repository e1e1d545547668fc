namespace Diffusion.Tests.Architecture;

/// <summary>Lines fit a screen, which shows how long files are.</summary>
public sealed class LineLengthTests
{
    private const int Columns = 140,
        Lines = 400;

    /// <summary>Files that are still longer: the list only shrinks.</summary>
    private static readonly string[] KnownLong = ["src/Diffusion.Core/Networks/Kernels/WinogradConvolution.cs"];

    [Fact]
    public void No_line_is_longer_than_140_columns()
    {
        string[] wrong =
        [
            .. Sources
                .Under("src", "operators", "tests")
                .SelectMany(file =>
                    File.ReadLines(file)
                        .Select((line, i) => (line.Length, Place: $"{Sources.Relative(file)}:{i + 1}: {line.Length} columns"))
                        .Where(line => line.Length > Columns)
                        .Select(line => line.Place)
                ),
        ];
        Assert.True(wrong.Length == 0, $"Lines of more than {Columns} columns:\n{string.Join('\n', wrong)}");
    }

    [Fact]
    public void No_file_is_longer_than_400_lines()
    {
        Dictionary<string, int> lengths = Sources
            .Under("src", "operators")
            .ToDictionary(Sources.Relative, file => File.ReadLines(file).Count());
        string[] longer = [.. lengths.Where(file => file.Value > Lines).Select(file => file.Key)];
        Assert.Equal(KnownLong, longer);
    }
}
