# frozen_string_literal: true

# The Ruby runtime: loads the handler's file, then serves invocations from the Runtime API until it is stopped.
#
# Runs inside an execution environment as the function's user. Talks to the genuine Runtime API over HTTP on a plain
# socket: the answer to one invocation and the poll for the next leave in a single write. Needs the standard library
# alone. Behaviour that handlers can see (context, log lines, error bodies, exit codes) follows AWS's documentation of
# the Ruby runtime.

require 'json'
require 'logger'
require 'socket'
require 'stringio'

# What AWS's runtime lets functions replace: how events are read and results are written.
module AwsLambda
  # Both methods may be overridden by function code.
  class Marshaller
    class << self
      # The event that a handler gets. `raw_request` answers to `[]` with a header and to `body`.
      def marshall_request(raw_request)
        raw_request['Content-Type'] == 'application/json' ? JSON.parse(raw_request.body) : raw_request.body
      end

      # A result's text, or it and its content type: streams are passed on as they are.
      def marshall_response(method_response)
        case method_response
        when StringIO, IO then [method_response, 'application/unknown']
        else method_response.to_json
        end
      end
    end
  end
end

# What a handler is given as `context:`.
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  def initialize(headers)
    @deadline_ms = headers['Lambda-Runtime-Deadline-Ms'].to_i
    @aws_request_id = headers['Lambda-Runtime-Aws-Request-Id']
    @invoked_function_arn = headers['Lambda-Runtime-Invoked-Function-Arn']
    @tenant_id = headers['Lambda-Runtime-Aws-Tenant-Id']
    @identity = json(headers['Lambda-Runtime-Cognito-Identity'])
    @client_context = json(headers['Lambda-Runtime-Client-Context'])
    @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
    @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
    @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
    @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
    @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
  end

  # Milliseconds until the invocation times out, never negative.
  def get_remaining_time_in_millis # rubocop:disable Naming/AccessorMethodName
    [@deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond), 0].max
  end

  private

  def json(text)
    text && JSON.parse(text)
  end
end

# Ingle's side of the runtime: nothing in here is for functions.
module IngleRuntime
  OWN_FILE = __FILE__
  API = '/2018-06-01/runtime'

  # The id of the invocation under way, for log lines.
  class << self
    attr_accessor :request_id
  end

  # Where this process was executed before its function was known: wait for the function's variables and directory.
  module Ahead
    DESCRIPTOR = '_INGLE_SETTINGS_FD'

    # False if there is to be no function: nothing but the end came.
    def self.become_function
      descriptor = ENV.delete(DESCRIPTOR) or return true
      text = IO.open(Integer(descriptor), 'r', &:read)
      return false if text.empty?

      settings = JSON.parse(text)
      ENV.replace(settings['variables'])
      Dir.chdir(settings['directory'])
      true
    end
  end

  # Writes log events: framed, so that an event may span lines, or as plain lines where there is no such channel.
  #
  # A frame is a kind, a length, a time in microseconds, all big-endian, and the content. The output streams go through
  # the same channel, so that they keep their order with events; the receiver splits them at line ends.
  class LogSink
    TEXT_FRAME = 0xA55A0003
    STREAM_FRAME = 0x696E676C

    def initialize(descriptor)
      @channel = IO.for_fd(descriptor, 'wb', autoclose: false) if descriptor
      @channel&.sync = true
      @channel&.close_on_exec = true
      @lock = Mutex.new
      lead_streams if @channel
    rescue SystemCallError
      @channel = nil
    end

    # One log event.
    def event(text)
      return STDOUT.write(text.end_with?("\n") ? text : "#{text}\n") unless @channel

      frame(TEXT_FRAME, text)
    end

    # A logger's way to say `event`.
    alias write event

    # A logger closes its device; this one outlives it.
    def close; end

    def stream(text)
      frame(STREAM_FRAME, text)
      text.bytesize
    end

    private

    def frame(kind, text)
      content = text.b
      head = [kind, content.bytesize, Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)].pack('NNQ>')
      data = head << content
      begin
        @lock.synchronize { write_all(data) }
      rescue ThreadError
        # In a signal handler, which must not wait for the lock that it interrupted.
        write_all(data)
      end
    end

    def write_all(data)
      data = data.byteslice(@channel.syswrite(data)..) until data.empty?
    end

    def lead_streams
      sink = self
      [$stdout, $stderr].each do |stream|
        stream.define_singleton_method(:write) { |*parts| sink.stream(parts.join) }
      end
      # Warnings go to descriptor 2 by a way of their own.
      Warning.define_singleton_method(:warn) { |message, **| $stderr.write(message) && nil }
    end
  end

  # Ruby's own line with the request id in it.
  class TextFormatter < Logger::Formatter
    LINE = "%<initial>s, [%<time>s #%<process>d] %<severity>5s %<request>s -- %<program>s: %<message>s\n"

    def call(severity, time, program, message)
      values = { initial: severity[0], time: time.strftime('%Y-%m-%dT%H:%M:%S.%6N'), process: Process.pid,
                 severity: severity, request: IngleRuntime.request_id, program: program, message: msg2str(message) }
      format(LINE, values).encode('UTF-8', invalid: :replace, undef: :replace)
    end
  end

  # One JSON object for each message, for functions whose log format is JSON.
  class JsonFormatter < Logger::Formatter
    def call(severity, time, program, message)
      record = { timestamp: time.getutc.strftime('%Y-%m-%dT%H:%M:%S.%3NZ'), level: severity,
                 message: message.is_a?(Exception) ? message.message : text(message) }
      record[:logger] = program if program
      record[:requestId] = IngleRuntime.request_id if IngleRuntime.request_id
      record.merge!(error(message)) if message.is_a?(Exception)
      "#{record.to_json}\n"
    end

    private

    def text(message)
      message.is_a?(Hash) ? message : msg2str(message)
    end

    def error(raised)
      { errorType: raised.class.to_s, errorMessage: raised.message, stackTrace: raised.backtrace || [] }
    end
  end

  # Loggers on the standard streams write events, in the function's log format and from its log level on.
  module LoggerDefaults
    LEVELS = { 'TRACE' => Logger::DEBUG, 'DEBUG' => Logger::DEBUG, 'INFO' => Logger::INFO, 'WARN' => Logger::WARN,
               'ERROR' => Logger::ERROR, 'FATAL' => Logger::FATAL }.freeze

    class << self
      attr_accessor :sink, :json, :level
    end

    def initialize(logdev, *rest, **options)
      unless logdev.nil? || logdev.equal?($stdout) || logdev.equal?($stderr)
        super
        return
      end
      defaults = LoggerDefaults
      options[:level] ||= defaults.level if defaults.level
      super(defaults.sink, *rest, **options)
      @default_formatter = defaults.json ? JsonFormatter.new : TextFormatter.new
    end
  end

  # `puts` without a receiver is one event, however many lines it has.
  module Puts
    class << self
      attr_accessor :sink, :stream
    end

    private

    def puts(*values)
      return $stdout.puts(*values) unless $stdout.equal?(Puts.stream)

      text = values.flatten.map { |value| value.to_s.encode('UTF-8', invalid: :replace, undef: :replace) }.join("\n")
      Puts.sink.event(text.end_with?("\n") ? text : "#{text}\n")
      nil
    end
  end

  # The answer of the Runtime API to a poll: headers by name in any case, and the event's bytes.
  class Invocation
    attr_reader :status, :body

    def initialize(status, headers, body)
      @status = status
      @headers = headers
      @body = body
    end

    def [](name)
      @headers[name.downcase]
    end
  end

  # One keep-alive connection to the Runtime API. A lost connection ends the process: the platform starts anew.
  class RuntimeApi
    def initialize(address)
      host, _, port = address.rpartition(':')
      @host = address
      @socket = TCPSocket.new(host, port.to_i)
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @socket.binmode
      @poll = "GET #{API}/invocation/next HTTP/1.1\r\nHost: #{address}\r\n\r\n"
    end

    # Send `answer` (a finished request, or nil) together with the poll; the next invocation.
    def next(answer)
      @socket.write(answer ? answer + @poll : @poll)
      read if answer
      invocation = read
      raise IOError, "Runtime API answered #{invocation.status} to the poll" unless invocation.status == 200

      invocation
    end

    # A finished POST request.
    def post(path, body, content_type, headers = {})
      more = headers.map { |name, value| "#{name}: #{value}\r\n" }.join
      head = "POST #{API}#{path} HTTP/1.1\r\nHost: #{@host}\r\nContent-Type: #{content_type}\r\n" \
             "Content-Length: #{body.bytesize}\r\n#{more}\r\n"
      head.b << body.b
    end

    def send(request)
      @socket.write(request)
      read
    end

    private

    def read
      status = line.split(' ', 3)[1].to_i
      headers = {}
      until (text = line).empty?
        name, _, value = text.partition(':')
        headers[name.downcase] = value.strip
      end
      body = @socket.read(headers['content-length'].to_i) || ''
      Invocation.new(status, headers, body.force_encoding(Encoding::UTF_8))
    end

    def line
      text = @socket.gets("\r\n") or raise IOError, 'the Runtime API closed the connection'
      text.chomp("\r\n").force_encoding(Encoding::UTF_8)
    end
  end

  # An exception of the function's as the platform is told of it. `phase` is "Init" or "Function".
  class Failure
    # Types that are told by their name; what functions define themselves is a UserException to the platform.
    NAMED = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit
               SystemStackError].freeze
    MOST_FRAMES = 100

    def initialize(raised, phase)
      @raised = raised
      @phase = phase
    end

    def document
      { errorMessage: message, errorType: "#{@phase}<#{@raised.class}>", stackTrace: trace }
    end

    def type
      NAMED.include?(@raised.class.to_s) ? "#{@phase}<#{@raised.class}>" : 'Function<UserException>'
    end

    # For X-Ray.
    def cause
      frames = trace.first(32).map do |entry|
        path, line, label = entry.split(':', 3)
        { path: path, line: line.to_i, label: label.to_s }
      end
      { working_directory: Dir.pwd, exceptions: [{ type: @raised.class.to_s, message: message, stack: frames }],
        paths: frames.map { |frame| frame[:path] }.uniq }.to_json
    end

    private

    def message
      @raised.message.to_s.encode('UTF-8', invalid: :replace, undef: :replace)
    end

    def trace
      lines = (@raised.backtrace || []).first(MOST_FRAMES)
      lines.take_while { |line| !line.start_with?(OWN_FILE) }
    end
  end

  # "file.method" or "file.Module::Class.method".
  class Handler
    def initialize(setting)
      parts = setting.split('.')
      unless [2, 3].include?(parts.size)
        raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where " \
                             'FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an ' \
                             'optional module/class namespace and METHOD is a callable method. If using CLASS, ' \
                             'METHOD must be a class-level method.'
      end

      @file, @class, @method = parts.size == 2 ? [parts[0], nil, parts[1]] : parts
    end

    def load
      require @file
    end

    # (text, content type) of the result.
    def call(event, context, main)
      target = @class ? Kernel.const_get(@class) : main
      text, content_type = AwsLambda::Marshaller.marshall_response(target.__send__(@method, event: event, context: context))
      [text.respond_to?(:read) ? text.read : text, content_type || 'application/json']
    end
  end

  # Serves invocations. `main` is the object that methods of the handler's file belong to.
  class Runtime
    INIT_FAILED = -4
    CRITICAL = -1

    def initialize(main, environment)
      @main = main
      @root = environment['LAMBDA_TASK_ROOT'] || Dir.pwd
      @handler_setting = environment['_HANDLER'].to_s
      @sink = LogSink.new(environment['_LAMBDA_TELEMETRY_LOG_FD']&.to_i)
      configure_output(environment)
      @api = RuntimeApi.new(environment['AWS_LAMBDA_RUNTIME_API'])
    end

    def run
      handler = initialise or return INIT_FAILED
      answer = nil
      loop do
        invocation = @api.next(answer)
        begin_invocation(invocation)
        answer, ended = serve(handler, invocation)
        next unless ended

        @api.send(answer)
        return ended
      end
    end

    private

    def configure_output(environment)
      environment.delete('_LAMBDA_TELEMETRY_LOG_FD')
      $stdout.sync = true
      LoggerDefaults.sink = Puts.sink = @sink
      Puts.stream = $stdout
      if environment['AWS_LAMBDA_LOG_FORMAT'].to_s.casecmp?('JSON') && json_logs?(environment)
        LoggerDefaults.json = true
        LoggerDefaults.level = LoggerDefaults::LEVELS[environment['AWS_LAMBDA_LOG_LEVEL'].to_s.upcase]
      end
      Logger.prepend(LoggerDefaults)
      Object.include(Puts)
    end

    # Application logs in JSON exist from the runtime ruby4.0 on.
    def json_logs?(environment)
      environment['AWS_EXECUTION_ENV'].to_s[/ruby(\d+)/, 1].to_i >= 4
    end

    def initialise
      $LOAD_PATH.unshift(@root) unless $LOAD_PATH.include?(@root)
      handler = Handler.new(@handler_setting)
      handler.load
      handler
    rescue Exception => e # rubocop:disable Lint/RescueException
      failure = Failure.new(e, 'Init')
      log(failure, "Init error when loading handler #{@handler_setting}")
      @api.send(error_request('/init/error', failure))
      nil
    end

    def begin_invocation(invocation)
      IngleRuntime.request_id = invocation['Lambda-Runtime-Aws-Request-Id']
      ENV['_X_AMZN_TRACE_ID'] = invocation['Lambda-Runtime-Trace-Id']
    end

    # The request that answers the invocation, and the exit status if the process has to end.
    def serve(handler, invocation)
      request_id = IngleRuntime.request_id
      event = AwsLambda::Marshaller.marshall_request(invocation)
      text, content_type = handler.call(event, LambdaContext.new(invocation), @main)
      @api.post("/invocation/#{request_id}/response", text, content_type)
    rescue Exception => e # rubocop:disable Lint/RescueException
      # A name that does not exist, `exit`, and what is beyond StandardError leave a process that is not used again.
      critical = e.is_a?(NameError) || !e.is_a?(StandardError)
      failure = Failure.new(e, 'Function')
      log(failure, critical ? 'Critical exception from handler' : 'Error raised from handler method')
      [error_request("/invocation/#{request_id}/error", failure), critical ? CRITICAL : nil]
    end

    def error_request(path, failure)
      @api.post(path, failure.document.to_json, 'application/json',
                'Lambda-Runtime-Function-Error-Type' => failure.type,
                'Lambda-Runtime-Function-XRay-Error-Cause' => failure.cause)
    end

    def log(failure, title)
      @sink.event("#{title}\n#{JSON.pretty_generate(failure.document)}\n")
    end
  end
end

if $PROGRAM_NAME == __FILE__
  exit unless IngleRuntime::Ahead.become_function
  exit(IngleRuntime::Runtime.new(self, ENV).run)
end
