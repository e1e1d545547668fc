using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Diffusion.Cli.Shell;

/// <summary>The parser's help, followed by the verb's examples.</summary>
internal sealed class HelpWithExamples(SynchronousCommandLineAction inner) : SynchronousCommandLineAction
{
    /// <summary>Shows examples below the help of every verb of <paramref name="root"/>.</summary>
    public static void Install(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((SynchronousCommandLineAction)help.Action!);
    }

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        int code = inner.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not Verb verb)
            return code;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (string example in verb.Examples)
            output.WriteLine("  " + example);
        return code;
    }
}
