/* How OpenSSL reads and writes: straight from and to the stream below, in place of memory that
 * bytes would be copied through. A write never waits: what the stream below does not take is kept
 * by the layer, so a record is either not begun or complete. */
#include "net/tls/tls.h"

#include <openssl/bio.h>

#include <limits.h>

/* Made once for the process. */
static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int below_read(BIO *bio, char *buffer, size_t bytes, size_t *count)
{
    struct tls *tls = BIO_get_data(bio);
    int64_t result;

    BIO_clear_retry_flags(bio);
    *count = 0;
    if (unlikely(tls->established && tls->idle_bytes > TLS_IDLE_BYTES)) {
        tls->below_code = BIGHT_EPROTOCOL;
        return 0;
    }
    result = bight__layer_read(&tls->layer, buffer, bytes);
    if (result > 0) {
        tls->idle_bytes += (size_t)result;
        *count = (size_t)result;
        return 1;
    }
    if (result == BIGHT_EAGAIN)
        BIO_set_retry_read(bio);
    else
        tls->below_code = (int)result; /* 0 at the end, of which OpenSSL asks BIO_CTRL_EOF */
    return result == 0 ? 0 : -1;
}

static int below_write(BIO *bio, const char *data, size_t bytes, size_t *count)
{
    struct tls *tls = BIO_get_data(bio);
    int rc = bight__layer_write(&tls->layer, data, bytes);

    BIO_clear_retry_flags(bio);
    *count = rc ? 0 : bytes;
    if (rc)
        tls->below_code = rc == BIGHT_ETOOBIG ? BIGHT_EPROTOCOL : rc;
    return rc ? -1 : 1;
}

static long below_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls *tls = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_EOF:
        return tls->below_code == 0 && !BIO_should_retry(bio);
    default:
        return 0;
    }
}

static void method_make(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream below");

    if (!made)
        return;
    if (BIO_meth_set_read_ex(made, below_read) && BIO_meth_set_write_ex(made, below_write) &&
        BIO_meth_set_ctrl(made, below_control))
        method = made;
    else
        BIO_meth_free(made);
}

int bight__tls_bio_attach(struct tls *tls)
{
    BIO *bio;

    pthread_once(&method_once, method_make);
    bio = method ? BIO_new(method) : NULL;
    if (!bio)
        return BIGHT_ENOMEM;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    return 0;
}
