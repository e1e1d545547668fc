using System.CommandLine;
using System.CommandLine.Help;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;

namespace Diffusion.Cli;

/// <summary>Parses the command line, runs the verb, and turns what goes wrong into one line and an exit code.</summary>
internal static class CommandShell
{
    /// <summary>Runs the command.</summary>
    public static int Run(string[] args)
    {
        RootCommand root = Root.Create();
        HelpWithExamples.Install(root);
        ParseResult parse = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        Terminal terminal = new(
            parse.GetValue(GlobalOptions.Json),
            parse.GetValue(GlobalOptions.Quiet),
            parse.GetValue(GlobalOptions.Verbose)
        );
        if (args.Length == 0)
            parse = root.Parse(["--help"]);
        if (CommandLineCheck.FirstError(parse, args) is { } error)
        {
            terminal.Fail(new Failure(ExitCode.Usage, error));
            return (int)ExitCode.Usage;
        }
        if (parse.CommandResult.Command is not Verb verb || parse.Action is not (null or RunsAlone))
            return parse.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        return (int)Run(verb, parse, terminal);
    }

    private static ExitCode Run(Verb verb, ParseResult parse, Terminal terminal)
    {
        using Interrupts interrupts = new();
        try
        {
            ExitCode code = verb.Run(new Session(parse, terminal, interrupts.Token));
            return code == ExitCode.Done && interrupts.Token.IsCancellationRequested ? interrupts.Code : code;
        }
        catch (OperationCanceledException) when (interrupts.Token.IsCancellationRequested)
        {
            return interrupts.Code;
        }
        catch (Exception e)
        {
            Failure failure = Failure.Of(e);
            if (failure.Code == ExitCode.Bug)
                failure = failure with { Line = $"{failure.Line} Details are in {CrashLog.Write(e)}." };
            terminal.Fail(failure, e);
            return failure.Code;
        }
    }
}
