import { graphql } from '@/graphql/tada'

export const AccountFields = graphql(`
  fragment AccountFields on User @_unmask {
    id
    email
    username
    role
  }
`)

export const LoginMutation = graphql(
  `
    mutation Login($input: LoginUserInput!) {
      loginUser(input: $input) {
        user {
          ...AccountFields
        }
        token
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [AccountFields],
)

export const RegisterMutation = graphql(
  `
    mutation Register($input: RegisterUserInput!) {
      registerUser(input: $input) {
        user {
          ...AccountFields
        }
        token
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [AccountFields],
)

export const RefreshMutation = graphql(
  `
    mutation Refresh($input: RefreshSessionInput!) {
      refreshSession(input: $input) {
        user {
          ...AccountFields
        }
        token
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [AccountFields],
)

export const LogoutMutation = graphql(`
  mutation Logout {
    logout {
      done
    }
  }
`)

export const UpdateProfileMutation = graphql(
  `
    mutation UpdateProfile($input: UpdateProfileInput!) {
      updateProfile(input: $input) {
        user {
          ...AccountFields
        }
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [AccountFields],
)

export const ChangePasswordMutation = graphql(
  `
    mutation ChangePassword($input: ChangePasswordInput!) {
      changePassword(input: $input) {
        user {
          ...AccountFields
        }
        token
        userErrors {
          code
          field
          message
        }
      }
    }
  `,
  [AccountFields],
)

export const DeleteAccountMutation = graphql(`
  mutation DeleteAccount($input: DeleteAccountInput!) {
    deleteAccount(input: $input) {
      done
      userErrors {
        code
        field
        message
      }
    }
  }
`)

export const ExportQuery = graphql(`
  query ExportMyData {
    exportMyData
  }
`)
